"""What counts as an instance's own memory, and what of it is given back."""

import mmap
import platform
import subprocess
import sys
from pathlib import Path

import pytest

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


#: Many small ones under one that stays: what they leave is in the middle of the heap.
HOLES = """
from actors.recycling import give_back, own_mb

many = [bytes(4000) for _ in range(32_000)]
kept = bytes(4000)
del many
held_mb = own_mb()
give_back()
print(held_mb - own_mb())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are left alone")
def test_what_is_free_is_given_back() -> None:
    """In a process of its own: this one's heap has holes enough for all of it."""
    ran = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)

    assert int(ran.stdout) > GROWN_MB - ABOUT_MB
