"""The ends of the log files, for when the stream of events cannot be read."""

import os
from pathlib import Path
from typing import Final, NoReturn

from deploy.paths import LOG_DIR

SHOWN_LINES: Final = 40

#: What logs to its file only.
FILES_ONLY: Final = ("redis", "supervisord")


class NoSuchLog(Exception):
    """There is no such log; the message lists those that there are."""


def tail(name: str, *, follow: bool, folder: Path = LOG_DIR) -> NoReturn:
    """Become `tail` on the logs of a process, or of all.

    Raises:
        NoSuchLog: no process of this name has written one.
    """
    files = select(name, folder)
    option = ["-F"] if follow else []  # -F goes on when the log is rotated
    os.execvp("tail", ["tail", "-n", str(SHOWN_LINES), *option, *map(str, files)])  # noqa: S606, S607


def select(name: str, folder: Path = LOG_DIR) -> list[Path]:
    """The log files of a process, or of several such as `instance`; of all without a name."""
    found = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not found:
        raise NoSuchLog("There are no logs yet: ./justw start writes them.")
    chosen = [path for stem, path in found.items() if not name or f"{stem}-".startswith(f"{name}-")]
    if not chosen:
        raise NoSuchLog(f"There is no log named {name}; there are {', '.join(found)}.")
    return chosen
