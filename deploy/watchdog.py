"""Kills what hangs: a plugin of supervisord, which then starts it again as anything that died.

Each process touches a file as long as it is well (`actors/life_sign.py`). Here supervisord's ticks, one every
five seconds, are counted and no clock is read: while the machine sleeps, or all of it is stopped, none comes.
Redis, which touches nothing, is not watched.
"""

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct
from supervisor import events
from supervisor.states import ProcessStates

from actors.life_sign import FOLDER

TICK_S: Final[int] = events.Tick5Event.period

#: The watchdog's own file.
_OWN: Final = "supervisord"


class Supervised(Protocol):
    """What is needed of supervisord's processes."""

    pid: int
    state: int
    config: Any

    def signal(self, sig: int) -> object:
        """Send it a signal, which is no reason not to start it again."""
        ...


class _Seen(Struct):
    """What was seen of a process: its last sign, or that of its predecessor, and for how many ticks."""

    pid: int
    sign_ns: int
    has_shown: bool = False
    ticks: int = 0


class Watchdog:
    """Looks at the signs of life at each tick."""

    def __init__(self, silent_s: int, folder: Path = FOLDER) -> None:
        """`silent_s`: how long a process may show none; 0: for ever."""
        self._silent_s = silent_s
        self._folder = folder
        self._seen: dict[str, _Seen] = {}

    def look(self, processes: Iterable[Supervised]) -> list[str]:
        """Kill those that have been silent for too long; their names."""
        try:
            (self._folder / _OWN).touch()
        except OSError:  # what cannot be done here cannot be expected of them
            return []
        return [process.config.name for process in processes if self._ends(process)]

    def _ends(self, process: Supervised) -> bool:
        name, sign_ns = process.config.name, self._sign_ns(process.config.name)
        seen = self._seen.get(name)
        if seen is None or seen.pid != process.pid:
            self._seen[name] = _Seen(process.pid, sign_ns)
            return False
        if sign_ns != seen.sign_ns:
            seen.sign_ns, seen.has_shown, seen.ticks = sign_ns, True, 0
            return False
        seen.ticks += 1
        # One that has shown nothing yet is still importing: how long that may take nobody knows.
        hangs = seen.has_shown and 0 < self._silent_s <= seen.ticks * TICK_S
        if hangs and process.state in {ProcessStates.STARTING, ProcessStates.RUNNING}:
            process.signal(signal.SIGKILL)
            return True
        return False

    def _sign_ns(self, name: str) -> int:
        try:
            return (self._folder / name).stat().st_mtime_ns
        except OSError:
            return 0


class Interface:
    """What can be asked of the watchdog over supervisord's socket: nothing."""


def watch(supervisord: Any, *, silent_s: str) -> Interface:
    """Watch all processes of supervisord from now on."""
    watchdog, logger = Watchdog(int(silent_s)), supervisord.options.logger
    told = f"{{}} has shown no sign of life for {silent_s} s: killed, to be started again"

    def look(_: object) -> None:
        groups = supervisord.process_groups.values()
        for name in watchdog.look(process for group in groups for process in group.processes.values()):
            logger.critical(told.format(name))

    events.subscribe(events.Tick5Event, look)
    return Interface()
