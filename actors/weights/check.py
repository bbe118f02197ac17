"""Whether the files on disk are the manifest's."""

import contextlib
import enum
import hashlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from actors.weights.manifest import File, Model

#: Remembers in the model's folder which files matched, so that a start need not hash them all again.
STAMP = ".verified.json"


class Fault(enum.StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    DAMAGED = "damaged"


class _Seen(Struct, frozen=True, array_like=True):
    """A file's state when its content had this hash."""

    size_bytes: int
    mtime_ns: int
    sha256: str


_decoder = msgspec.json.Decoder(dict[str, _Seen])


def faults(model: Model, folder: Path) -> dict[str, Fault]:
    """The files that are not the manifest's; empty when the model can be used.

    A file is hashed again only when its size or modification time has changed since it last matched.
    """
    known = _read_stamp(folder)
    seen: dict[str, _Seen] = {}
    found: dict[str, Fault] = {}
    for file in model.files:
        path = folder / file.path
        if not path.is_file():
            found[file.path] = Fault.MISSING
        elif (now := _look(path, file, known.get(file.path))) is None:
            found[file.path] = Fault.DAMAGED
        else:
            seen[file.path] = now
    if seen != known:
        _write_stamp(folder, seen)
    return found


def matches(file: File, path: Path) -> bool:
    """Whether the file lies at `path`, by size and sha256."""
    return path.is_file() and _look(path, file, None) is not None


def _look(path: Path, file: File, known: _Seen | None) -> _Seen | None:
    stat = path.stat()
    now = _Seen(stat.st_size, stat.st_mtime_ns, file.sha256)
    if now == known:
        return now
    if stat.st_size != file.size_bytes:
        return None
    with path.open("rb") as content:
        return now if hashlib.file_digest(content, "sha256").hexdigest() == file.sha256 else None


def _read_stamp(folder: Path) -> dict[str, _Seen]:
    try:
        return _decoder.decode((folder / STAMP).read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}


def _write_stamp(folder: Path, seen: dict[str, _Seen]) -> None:
    # Weights on a read-only mount are hashed at every start instead.
    with contextlib.suppress(OSError):
        stamp = folder / f"{STAMP}.{os.getpid()}"
        stamp.write_bytes(msgspec.json.encode(seen))
        stamp.replace(folder / STAMP)
