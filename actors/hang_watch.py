"""Notices what hangs in native code, a decoder or an engine: nothing can interrupt it.

Nobody else notices, for the process around it goes on to send heartbeats.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import structlog
from typing_extensions import override

from actors.errors import reason

#: How often it looks.
TICK_S: Final = 1.0

_Item = TypeVar("_Item")

log = structlog.stdlib.get_logger()


class HangWatch(threading.Thread):
    """Tells `on_hang` of each task, once, of which a step takes longer than `limit_s`.

    It counts its own ticks, not a clock: while the process is stopped, or the machine sleeps, what it watches
    stands still as well.
    """

    def __init__(self, limit_s: float, on_hang: Callable[[str], object], tick_s: float = TICK_S) -> None:
        super().__init__(name="hang-watch", daemon=True)
        self._most_ticks = int(limit_s / tick_s)
        self._on_hang = on_hang
        self._tick_s = tick_s
        self._lock = threading.Lock()
        #: How many ticks the step of each task has seen.
        self._ticks: dict[str, int] = {}

    def begin(self, task: str) -> None:
        """A step of this task begins."""
        with self._lock:
            self._ticks[task] = 0

    def end(self, task: str) -> None:
        """It is done."""
        with self._lock:
            self._ticks.pop(task, None)

    @contextmanager
    def step(self, task: str) -> Iterator[None]:
        """What is done inside is done in time, or told of."""
        self.begin(task)
        try:
            yield
        finally:
            self.end(task)

    @contextmanager
    def pause(self, task: str) -> Iterator[None]:
        """What is done inside a step takes as long as it takes; then the step has all of its time again."""
        self.end(task)
        try:
            yield
        finally:
            self.begin(task)

    def over(self, task: str, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items, each of which is made in a step of its own."""
        waiting = iter(items)
        while True:
            try:
                with self.step(task):
                    item = next(waiting)
            except StopIteration:
                return
            yield item

    def tick(self) -> list[str]:
        """Count another tick; the tasks whose step takes too long with it."""
        with self._lock:
            for task in self._ticks:
                self._ticks[task] += 1
            return [task for task, ticks in self._ticks.items() if ticks == self._most_ticks + 1]

    @override
    def run(self) -> None:
        while True:
            time.sleep(self._tick_s)
            try:
                for task in self.tick():
                    self._on_hang(task)
            except Exception as error:
                # Whatever it is: it must go on to watch.
                log.exception("watch.failed", reason=reason(error))
