"""Mends the append-only file of Redis after its disk was full.

A write that finds no room is cut off again, but Redis goes on behind the place that it had reached, unless it
has opened the file to append to it, which it does only when it starts. So a hole of zeros is left between two
commands, and a Redis that starts later refuses the whole file for it. Without the hole nothing is missing.
"""

import mmap
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path


def mend(file: Path) -> int:
    """Take the holes out of a file of commands; how many there were.

    Whatever else is wrong with it is left as it is: a file that ends too early Redis takes, and of any other
    it says what to do.
    """
    if not file.stat().st_size:
        return 0
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        holes = list(_holes(data))
        if holes:
            mended = file.with_suffix(".mended")
            try:
                _write(mended, data, holes)
                mended.replace(file)
            finally:  # it has no room for a half
                mended.unlink(missing_ok=True)
    return len(holes)


def _write(mended: Path, data: mmap.mmap, holes: list[tuple[int, int]]) -> None:
    with mended.open("wb") as target:
        for (_, begin), (end, _) in pairwise([(0, 0), *holes, (len(data), len(data))]):
            target.write(memoryview(data)[begin:end])
        os.fsync(target.fileno())


def _holes(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where zeros begin and end that stand where a command should."""
    at = 0
    while at < len(data):
        if data[at]:
            at = _behind_command(data, at)
            if at < 0:
                return
            continue
        end = data.find(b"*", at)
        end = len(data) if end < 0 else end
        if data[at:end].strip(b"\0"):
            return
        yield at, end
        at = end


def _behind_command(data: mmap.mmap, at: int) -> int:
    """Where the command ends that begins here: `*2`, `$3`, `GET`, `$1`, `a`, a line each; -1 if none does."""
    kind = data[at : at + 1]
    try:
        first, at = _line(data, at)
        if kind == b"#":  # a remark
            return at
        if kind != b"*":
            return -1
        for _ in range(int(first)):
            length, at = _line(data, at)
            at += int(length) + 2
    except ValueError:
        return -1
    return at


def _line(data: mmap.mmap, at: int) -> tuple[bytes, int]:
    """A line but for its first character, and where the next one begins."""
    end = data.find(b"\r\n", at)
    if end < 0:
        raise ValueError("the file ends within a line")
    return data[at + 1 : end], end + 2
