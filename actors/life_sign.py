"""A process shows that it runs by touching a file; one that ceases to is killed by `deploy/watchdog.py`.

A file and not Redis, so that a Redis which is away or stalled makes nobody look dead.
"""

import asyncio
import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from actors.settings import STATE_DIR

#: The files, each called as supervisord calls the process.
FOLDER: Final = STATE_DIR / "run" / "alive"

EVERY_S: Final = 2.0

#: Where supervisord tells a process its name; one that nobody supervises shows nothing.
_NAME: Final = "SUPERVISOR_PROCESS_NAME"


def show(folder: Path = FOLDER) -> None:
    """Show that this process runs."""
    if name := os.environ.get(_NAME):
        with contextlib.suppress(Exception):  # a full disk, no memory: it lives nevertheless
            (folder / name).touch()


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
    """Show it for as long as the event loop goes round; run it as a task."""
    while True:
        show()
        await asyncio.sleep(EVERY_S)
