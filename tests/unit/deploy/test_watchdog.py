"""Which processes the watchdog kills."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from supervisor.states import ProcessStates

from deploy.watchdog import TICK_S, Watchdog

SILENT_S = 3 * TICK_S


class Process:
    """What supervisord keeps of one."""

    def __init__(self, name: str, folder: Path) -> None:
        self.config: Any = SimpleNamespace(name=name)
        self.pid = 1
        self.state: int = ProcessStates.RUNNING
        self.signals: list[int] = []
        self._file = folder / name
        self._sign_ns = 0

    def signal(self, sig: int) -> None:
        """Take a signal."""
        self.signals.append(sig)

    def show(self) -> None:
        """Give another sign of life."""
        self._sign_ns += 1
        self._file.touch()
        os.utime(self._file, ns=(0, self._sign_ns))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where signs are shown."""
    return tmp_path


def ticks(watchdog: Watchdog, *processes: Process, times: int = 1) -> list[str]:
    """The names of those that are killed in so many ticks."""
    return [name for _ in range(times) for name in watchdog.look(processes)]


def test_only_the_silent_one_is_killed(folder: Path) -> None:
    """It has shown signs, and then none for the time that is allowed."""
    watchdog, silent, well = Watchdog(SILENT_S, folder), Process("a", folder), Process("b", folder)
    killed = []
    for number in range(6):
        well.show()
        if number < 2:
            silent.show()
        killed.append(ticks(watchdog, silent, well))

    assert killed == [[], [], [], [], ["a"], ["a"]]
    assert silent.signals == [signal.SIGKILL] * 2
    assert well.signals == []


def test_who_has_shown_nothing_yet_is_left_alone(folder: Path) -> None:
    """A process that still imports, be it after one that hung under its name; and Redis, which shows none."""
    watchdog, process, redis = Watchdog(SILENT_S, folder), Process("a", folder), Process("redis", folder)
    process.show()
    ticks(watchdog, process, redis)
    process.show()
    assert ticks(watchdog, process, redis, times=4) == ["a"]

    process.pid += 1

    assert ticks(watchdog, process, redis, times=10) == []


@pytest.mark.parametrize("state", [ProcessStates.STOPPING, ProcessStates.BACKOFF, ProcessStates.EXITED])
def test_who_is_told_to_stop_has_supervisords_time(folder: Path, state: int) -> None:
    """It is not for the watchdog to end what ends."""
    watchdog, process = Watchdog(SILENT_S, folder), Process("a", folder)
    process.show()
    ticks(watchdog, process)
    process.show()
    process.state = state

    assert ticks(watchdog, process, times=10) == []


def test_nobody_is_blamed_for_a_disk_that_takes_nothing(folder: Path, tmp_path: Path) -> None:
    """Where the watchdog cannot leave a sign itself, it expects none."""
    watchdog, process = Watchdog(SILENT_S, folder), Process("a", folder)
    process.show()
    ticks(watchdog, process)
    process.show()
    ticks(watchdog, process)
    folder.rename(tmp_path.with_name("gone"))

    assert ticks(watchdog, process, times=10) == []


def test_0_means_never(folder: Path) -> None:
    """Whoever debugs a process may stop it."""
    watchdog, process = Watchdog(0, folder), Process("a", folder)
    process.show()
    ticks(watchdog, process)
    process.show()

    assert ticks(watchdog, process, times=10) == []
