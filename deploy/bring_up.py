"""Brings the processes up in order and waits until every instance can take work."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import redis

from actors.errors import StartupError
from actors.settings import Settings
from actors.store import keys
from deploy import pool
from deploy.lines import Line, lines
from deploy.progress import Progress
from deploy.running import Running
from deploy.supervisor import Control, Process, ProcessState

#: What is started once Redis answers; the API last, so that it finds the others coming.
GROUPS: Final = ("workers", "api")

LOOK_EVERY_S: Final = 0.5

#: A process that had to be started this often will not come up by itself.
HOPELESS_STARTS: Final = 3

#: Beyond the time that a model may take to load, for the processes around it.
AROUND_LOADING_S: Final = 30

#: Lines of its log that are shown of a process that does not come up.
LOG_LINES: Final = 15


def bring_up(settings: Settings, running: Running, progress: Progress, *, embedded: bool) -> None:
    """Start everything and return when all of it works.

    Raises:
        StartupError: a process keeps exiting, or the instances are not ready in time.
    """
    control = Control()
    looks = Looks(control, settings.load_timeout_s + AROUND_LOADING_S)
    if embedded:
        _bring_up_redis(control, looks, running.redis_url)
    for group in GROUPS:
        control.start_group(group)
    await_all(running, looks, progress.show)


def await_all(
    running: Running, looks: "Looks", show: Callable[[list[Line]], object] = lambda _: None
) -> None:
    """Return when every process works.

    Raises:
        StartupError: a process keeps exiting, or they are not ready in time.
    """
    for processes in looks:
        now = lines(processes, pool.health(running), running.node)
        show(now)
        bad = [line for line in now if not line.good]
        if not bad:
            return
        looks.waiting_for = ", ".join(f"{line.process.name} ({line.note or line.state})" for line in bad)


def _bring_up_redis(control: Control, looks: "Looks", url: str) -> None:
    control.start_group("redis")
    looks.waiting_for = "redis (loading its data)"
    with redis.Redis.from_url(url) as client:
        for _ in looks:
            if _answers(client):
                # What was true of the workers before, and how fast they were, is not of the new ones.
                client.delete(keys.WORKERS, keys.BUSY, keys.RECYCLED, keys.SPEED)
                return


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


class Looks:
    """Looks at the processes twice a second, until the time is over or one of them is hopeless."""

    def __init__(self, control: Control, patience_s: float, waiting_for: str = "") -> None:
        self._control = control
        self._patience_s = patience_s
        self._ends_s = time.monotonic() + patience_s
        self._starts: dict[str, set[int]] = {}
        self.waiting_for = waiting_for

    def __iter__(self) -> Iterator[list[Process]]:
        while time.monotonic() < self._ends_s:
            processes = self._look()
            for process in processes:
                if self._is_hopeless(process):
                    raise StartupError(f"{process.name} keeps exiting. The end of its log:\n{_tail(process)}")
            yield processes
            time.sleep(LOOK_EVERY_S)
        raise StartupError(
            f"Not ready after {self._patience_s:.0f} s: {self.waiting_for}. See the logs in .quintet/logs, "
            "or give it more time with ASR_LOAD_TIMEOUT_S."
        )

    def _look(self) -> list[Process]:
        try:
            return self._control.processes()
        except OSError as error:
            raise StartupError("The service was stopped while it started.") from error

    def _is_hopeless(self, process: Process) -> bool:
        starts = self._starts.setdefault(process.name, set())
        if process.started_s:
            starts.add(process.started_s)
        return process.state is ProcessState.FATAL or len(starts) >= HOPELESS_STARTS


def _tail(process: Process) -> str:
    try:
        text = Path(process.logfile).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "(it wrote none)"
    return "\n".join(text.splitlines()[-LOG_LINES:])
