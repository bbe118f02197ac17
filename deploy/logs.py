"""`logs`: the ends of the log files, once or as they grow."""

import os
from pathlib import Path
from typing import Final

from deploy.paths import LOG_DIR

SHOWN_LINES: Final = 40


class NoSuchLog(Exception):
    """There is no such log; the message lists those that there are."""


def show(name: str | None, *, follow: bool, folder: Path = LOG_DIR) -> None:
    """Become `tail` on the logs of a process, or of all.

    Raises:
        NoSuchLog: no process of this name has written one.
    """
    files = select(name, folder)
    option = ["-F"] if follow else []  # -F goes on when the log is rotated
    os.execvp("tail", ["tail", "-n", str(SHOWN_LINES), *option, *map(str, files)])  # noqa: S606, S607


def select(name: str | None, folder: Path = LOG_DIR) -> list[Path]:
    """The log files of a process, or of all."""
    found = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not found:
        raise NoSuchLog("There are no logs yet: ./justw start writes them.")
    if name is None:
        return list(found.values())
    if name not in found:
        raise NoSuchLog(f"There is no log named {name}; there are {', '.join(found)}.")
    return [found[name]]
