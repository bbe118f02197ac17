"""The keys that `./justw keys` makes: one small file, replaced as a whole, that only its user may read.

A file that exists closes the service, also without a key in it: to revoke the last one lets nobody in. One
that is damaged lets nobody in either, nor one that is gone: `keys.closed` beside it tells that it was there.
Each machine with an API has a file of its own; a copy of it is as good, and holds no secret. Half a copy is a
damaged file.
"""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from actors.access import secret
from actors.clock import now_ms
from actors.errors import StartupError, reason
from actors.settings import STATE_DIR, Settings
from actors.store.limits import Quota

KEY_FILE: Final = STATE_DIR / "keys.json"

#: Of a caller; logs may show it.
CALLER: Final = r"^[A-Za-z0-9_.-]{1,40}$"


class KeyFileError(StartupError):
    """The file cannot be read, or means nothing: nobody is let in."""


class StoredKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key, all but the key itself."""

    caller: Annotated[str, Meta(pattern=CALLER)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    created_ms: int
    quota: Quota = Quota()

    @property
    def id(self) -> str:
        """How people name it."""
        return secret.id_of(self.sha256)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[StoredKey, ...]


_files: Final = msgspec.json.Decoder(_File)


def read(path: Path = KEY_FILE) -> tuple[StoredKey, ...] | None:
    """The keys; None where there has never been one, so that the service is open to everyone.

    Raises:
        KeyFileError: there is a file that cannot be read, or there was one.
    """
    keys = _read(path)
    if keys is not None:
        _mark(path)
    elif mark(path).exists():
        raise KeyFileError(
            f"{path} had the API keys and is gone, so nobody is let in: put it back, or make new keys with "
            f"./justw keys add NAME; to open the service to everyone, remove {mark(path).name} beside it too "
            "and restart it"
        )
    return keys


def _read(path: Path) -> tuple[StoredKey, ...] | None:
    try:
        return _files.decode(path.read_bytes()).keys
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeyFileError(
            f"{path} has the API keys and cannot be read ({reason(error)}), so nobody is let in: put a good "
            "copy in its place; or move it away and make new keys, ./justw keys add NAME, before the "
            "next start"
        ) from error


def is_open(settings: Settings, path: Path = KEY_FILE) -> bool:
    """Whether a service with these settings asks nobody for a key.

    Raises:
        KeyFileError: the file cannot be read.
    """
    return not settings.api_keys and read(path) is None


def add(caller: str, quota: Quota, path: Path = KEY_FILE) -> tuple[StoredKey, str]:
    """Make a key for a caller; what is returned beside it is all that there ever is of the key itself.

    Raises:
        KeyFileError: the file cannot be read.
        OSError: it cannot be written.
    """
    key = secret.mint()
    made = StoredKey(caller=caller, sha256=secret.digest(key), created_ms=now_ms(), quota=quota)
    _change(path, lambda keys: (*keys, made))
    return made, key


def revoke(which: str, path: Path = KEY_FILE) -> tuple[StoredKey, ...]:
    """Revoke the key with this id, or all keys of this caller, and return them.

    Raises:
        KeyFileError: the file cannot be read.
        OSError: it cannot be written.
    """
    revoked: tuple[StoredKey, ...] = ()

    def others(keys: tuple[StoredKey, ...]) -> tuple[StoredKey, ...]:
        nonlocal revoked
        revoked = tuple(key for key in keys if which in {key.id, key.caller})
        return tuple(key for key in keys if key not in revoked)

    if read(path) is not None:  # else there is none, and to write a file would close the service
        _change(path, others)
    return revoked


def _change(path: Path, changed: Callable[[tuple[StoredKey, ...]], tuple[StoredKey, ...]]) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with _one_at_a_time(path):
        _replace(path, msgspec.json.format(msgspec.json.encode(_File(changed(_read(path) or ())))))
        _mark(path)


def mark(path: Path = KEY_FILE) -> Path:
    """What tells that there has been a file."""
    return path.with_suffix(".closed")


def _mark(path: Path) -> None:
    """Leave the mark; where that cannot be written, whoever reads the file next tries again."""
    with suppress(OSError):
        made = os.open(mark(path), os.O_CREAT | os.O_EXCL, 0o600)
        _hand_over(made, path)
        os.close(made)


def _hand_over(file: int, path: Path) -> None:
    """Give a file to the owner of its folder, in whose name the service runs: `sudo` may have made it."""
    with suppress(OSError):
        folder = path.parent.stat()
        os.fchown(file, folder.st_uid, folder.st_gid)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Let a second change wait for the first; not on the file itself, which is another one afterwards."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _hand_over(lock, path)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, content: bytes) -> None:
    """Put a file in place of another; who reads has the one or the other, also after a power cut."""
    handle, written = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # for its user alone
    try:
        with os.fdopen(handle, "wb") as file:
            _hand_over(handle, path)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(path)
    except BaseException:
        Path(written).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
