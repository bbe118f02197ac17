"""The keys of the key file, as an API process knows them: a change is seen by the next request."""

from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from actors.access import key_file
from actors.access.key_file import KeyFileError, StoredKey

log = structlog.stdlib.get_logger()


class _Look(Struct, frozen=True):
    """Tells one content of the file from another: it is replaced as a whole, so that the inode is another."""

    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int


_NONE: Final = _Look(0, 0, 0, 0)


class StoredKeys:
    """Asks the file system before each answer, which takes microseconds, and reads what has changed.

    What could not be read is tried again each time: what was in the way leaves no trace in the file.
    """

    def __init__(self, path: Path) -> None:
        """Read the keys.

        Raises:
            KeyFileError: there are some that cannot be read.
        """
        self._path = path
        self._look = self._look_at()
        self._keys = key_file.read(path)
        self._failure: KeyFileError | None = None

    def read(self) -> tuple[StoredKey, ...] | None:
        """The keys; None where there has never been one.

        Raises:
            KeyFileError: they cannot be read, or are gone: no running process opens the service again.
        """
        look = self._look_at()
        if look != self._look or self._failure:
            self._read()
            self._look = look
        if self._failure:
            raise self._failure
        return self._keys

    def _look_at(self) -> _Look:
        try:
            found = self._path.stat()
        except OSError:
            return _NONE
        return _Look(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def _read(self) -> None:
        try:
            keys = self._read_file()
        except KeyFileError as error:
            if str(error) != str(self._failure):
                log.error("keys.unreadable", reason=str(error))  # noqa: TRY400 - all there is to say
            self._failure = error
        else:
            self._keys, self._failure = keys, None
            log.info("keys.read", keys=len(keys))

    def _read_file(self) -> tuple[StoredKey, ...]:
        keys = key_file.read(self._path)
        if keys is None:
            raise KeyFileError(
                f"{self._path} had the API keys and is gone, as is {key_file.mark(self._path).name}: "
                "restart the service to open it to everyone"
            )
        return keys
