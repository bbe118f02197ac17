"""The files of snapshots are whole documents at any moment, and take no more room than they may."""

import datetime as dt
import json
import os
from pathlib import Path

import msgspec
import pytest

from monitoring.snapshot_files import SnapshotFiles, files, read
from tests.doubles.snapshots import quiet

BEGAN = dt.datetime(2026, 1, 31, 23, 59, 58, tzinfo=dt.UTC)


def line(at_ms: int) -> bytes:
    """A snapshot as it is written."""
    return msgspec.json.encode(quiet(at_ms))


def write(written: SnapshotFiles, count: int, first: int = 0) -> None:
    """So many snapshots, a second apart."""
    for number in range(first, first + count):
        written.write(line(number * 1000), BEGAN + dt.timedelta(seconds=number))


def test_a_document_after_each_snapshot(tmp_path: Path) -> None:
    """Whenever the monitor is killed, what it leaves can be read by anything that reads JSON."""
    written = SnapshotFiles(tmp_path)
    for number in range(3):
        write(written, 1, number)
        (file,) = files(tmp_path)
        assert [seen["at_ms"] for seen in json.loads(file.read_text())] == [
            1000 * at for at in range(number + 1)
        ]

    (file,) = files(tmp_path)
    assert file.name == "monitoring_20260131_235958.json"
    assert file.stat().st_mode & 0o077 == 0


def test_a_new_file_for_each_monitor(tmp_path: Path) -> None:
    """Two that start in the same second do not share one; read back, they are one history."""
    for first in range(2):
        write(SnapshotFiles(tmp_path), 1)
        assert len(files(tmp_path)) == first + 1

    assert [seen.at_ms for seen in read(0, tmp_path)] == [0, 0]


def test_rotation(tmp_path: Path) -> None:
    """A full file is followed by another, and the oldest go: by their number and by what they hold."""
    size = 2 * len(line(0)) + 50
    write(SnapshotFiles(tmp_path, max_file_bytes=size, max_files=3), 20)

    assert len(files(tmp_path)) == 3
    assert all(path.stat().st_size <= size + 10 for path in files(tmp_path))
    assert [seen.at_ms for seen in read(0, tmp_path)] == [at * 1000 for at in range(14, 20)]

    write(SnapshotFiles(tmp_path, max_file_bytes=size, max_bytes=2 * size), 1, 20)

    assert sum(path.stat().st_size for path in files(tmp_path)) <= 2 * size


def test_since(tmp_path: Path) -> None:
    """Only what is asked for is read."""
    write(SnapshotFiles(tmp_path), 5)

    assert [seen.at_ms for seen in read(3000, tmp_path)] == [3000, 4000]


def test_a_torn_line(tmp_path: Path) -> None:
    """What a dying machine left half written costs that line only, and so does one of another version."""
    write(SnapshotFiles(tmp_path), 2)
    (file,) = files(tmp_path)
    whole = file.read_bytes().removesuffix(b"\n]\n")
    file.write_bytes(whole + b',\n{"at_ms":2000,"of_another_version":true},\n' + line(9)[:99])

    assert [seen.at_ms for seen in read(0, tmp_path)] == [0, 1000]


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays as it was, and is gone on with once there is room."""
    written = SnapshotFiles(tmp_path)
    write(written, 1)
    original = os.pwrite

    def half(file: int, data: bytes, place: int) -> int:
        return original(file, data[: len(data) // 2] if len(data) > 10 else data, place)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="the disk is full"):
        write(written, 1, 1)
    monkeypatch.undo()
    (file,) = files(tmp_path)
    assert len(json.loads(file.read_text())) == 1
    write(written, 1, 2)

    assert [seen["at_ms"] for seen in json.loads(file.read_text())] == [0, 2000]
