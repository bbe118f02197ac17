"""A process shows that it runs by touching a file; one that ceases to is killed, and started again.

On one machine by `deploy/watchdog.py`, in a container by its health check, `deploy/alive.py`. A file and not
Redis, so that a Redis which is away or stalled makes nobody look dead.
"""

import asyncio
import contextlib
import fcntl
import functools
import os
import threading
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from actors.settings import STATE_DIR

#: The files of a machine's processes, each called as supervisord calls the process.
FOLDER: Final = STATE_DIR / "run" / "alive"

EVERY_S: Final = 2.0

#: Where supervisord tells a process its name; one that nobody supervises shows nothing.
_NAME: Final = "SUPERVISOR_PROCESS_NAME"

#: Where a container tells its process the file, which that keeps locked: a lock ends with its process, while
#: the file may outlive it. It says `PID`, and `PID ready` once the process takes work.
CONTAINER_FILE: Final = "QUINTET_LIFE_SIGN"
READY: Final = "ready"

_opening = threading.Lock()
_ready = threading.Event()


def show(folder: Path = FOLDER) -> None:
    """Show that this process runs."""
    with contextlib.suppress(Exception):  # a full disk, no memory: it lives nevertheless
        if path := os.environ.get(CONTAINER_FILE):
            _say(_kept(path))
        elif name := os.environ.get(_NAME):
            (folder / name).touch()


def say_ready() -> None:
    """Say that this process takes work from now on."""
    _ready.set()
    show()


class LifeSign(threading.Thread):
    """Shows it from now on, for as long as Python runs threads."""

    def __init__(self) -> None:
        super().__init__(name="life-sign", daemon=True)

    @override
    def run(self) -> None:
        while True:
            show()
            time.sleep(EVERY_S)


async def show_life() -> None:
    """Show it for as long as the event loop goes round, which takes work; run it as a task."""
    say_ready()
    while True:
        show()
        await asyncio.sleep(EVERY_S)


def _kept(path: str) -> int:
    with _opening:  # a second lock of the same process would be refused
        return _locked(path)


@functools.cache
def _locked(path: str) -> int:
    """The file, open, empty, and locked until the end of this process."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
    except BaseException:  # whoever looks at it holds it for a moment: the next sign will do
        os.close(file)
        raise
    return file


def _say(file: int) -> None:
    """In place, and never less than before: whoever reads it meanwhile reads a whole line."""
    line = f"{os.getpid()} {READY}" if _ready.is_set() else str(os.getpid())
    os.pwrite(file, line.encode(), 0)
