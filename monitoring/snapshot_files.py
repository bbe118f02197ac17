"""Snapshots in files, `monitoring_logs/monitoring_YYYYMMDD_HHMMSS.json`, named by when each was begun (UTC).

Each file is a JSON array, one snapshot a line. A further one is written over the closing bracket at once, so
that a monitor that is killed leaves a whole document; a line that a dying machine has torn is passed over.
"""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from actors.settings import STATE_DIR
from monitoring.snapshot import Snapshot

FOLDER: Final = STATE_DIR.parent / "monitoring_logs"

#: A file is no longer than this; all together are neither longer nor more than this, or the oldest go.
MAX_FILE_BYTES: Final = 4 << 20
MAX_BYTES: Final = 128 << 20
MAX_FILES: Final = 200

_END: Final = b"\n]\n"
_PATTERN: Final = "monitoring_*.json"

_snapshots = msgspec.json.Decoder(Snapshot)


class SnapshotFiles:
    """Writes snapshots; a monitor that starts begins a new file with its first one."""

    def __init__(
        self,
        folder: Path = FOLDER,
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_bytes: int = MAX_BYTES,
        max_files: int = MAX_FILES,
    ) -> None:
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._file: int | None = None

    def write(self, snapshot: bytes, now: dt.datetime) -> None:
        """Append a snapshot, a line of JSON.

        Raises:
            OSError: it could not be written; the file is as it was.
        """
        if self._file is not None and os.fstat(self._file).st_size + len(snapshot) > self._max_file_bytes:
            self.close()
        if self._file is None:
            self._prune()
            self._file = _create(self._folder, now)
        _append(self._file, snapshot)

    def close(self) -> None:
        """Write no more to the file in hand."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _prune(self) -> None:
        """Make room for one more file."""
        newest_first = files(self._folder)[::-1]
        kept_bytes = self._max_file_bytes
        for number, path in enumerate(newest_first, start=2):
            kept_bytes += path.stat().st_size
            if number > self._max_files or kept_bytes > self._max_bytes:
                path.unlink()


def files(folder: Path = FOLDER) -> list[Path]:
    """The files, oldest first."""
    return sorted(folder.glob(_PATTERN))


def read(since_ms: int, folder: Path = FOLDER) -> Iterator[Snapshot]:
    """The snapshots since then, oldest first; what is torn, or of another version, is passed over."""
    for path in files(folder):
        if path.stat().st_mtime * 1000 < since_ms:
            continue
        with path.open("rb") as lines:
            for line in lines:
                try:
                    snapshot = _snapshots.decode(line.rstrip(b",\n"))
                except msgspec.DecodeError:
                    continue
                if snapshot.at_ms >= since_ms:
                    yield snapshot


def _create(folder: Path, now: dt.datetime) -> int:
    folder.mkdir(mode=0o700, exist_ok=True)
    while True:
        path = folder / f"monitoring_{now.astimezone(dt.UTC):%Y%m%d_%H%M%S}.json"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            now += dt.timedelta(seconds=1)


def _append(file: int, snapshot: bytes) -> None:
    size = os.fstat(file).st_size
    place = max(0, size - len(_END))
    line = (b",\n" if size else b"[\n") + snapshot + _END
    try:
        _write(file, line, place)
    except OSError:
        os.ftruncate(file, size)
        os.pwrite(file, _END if size else b"", place)
        raise


def _write(file: int, line: bytes, place: int) -> None:
    written = os.pwrite(file, line, place)
    if written < len(line):
        raise OSError(f"only {written} of {len(line)} bytes were written: the disk is full")
