"""Waiting for other processes on this machine."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, others wait; `path` is a file for that alone, and its folder is there.

    Who dies lets go of it.

    Raises:
        OSError: the file cannot be made or locked.
    """
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
