"""What counts as an instance's own memory."""

import mmap
from pathlib import Path

from actors.recycling import own_mb

GROWN_MB = 128

#: Of what other threads and the allocator do meanwhile.
ABOUT_MB = 32


def test_what_is_allocated_counts() -> None:
    """Once it is written to."""
    before_mb = own_mb()
    # Of the system, not of the allocator: that may have as much left over from what ran before.
    with mmap.mmap(-1, GROWN_MB << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as allocated:
        for at in range(0, len(allocated), mmap.PAGESIZE):
            allocated[at] = 1

        assert abs(own_mb() - before_mb - GROWN_MB) < ABOUT_MB


def test_what_is_mapped_from_a_file_does_not(tmp_path: Path) -> None:
    """As weights are."""
    file = tmp_path / "weights"
    file.write_bytes(b"x" * (GROWN_MB << 20))
    before_mb = own_mb()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        touched = sum(mapped[at] for at in range(0, len(mapped), mmap.PAGESIZE))

        assert touched
        assert own_mb() - before_mb < ABOUT_MB
