"""Notices a decoder that hangs: some files would keep FFmpeg busy for hours, and nothing can interrupt it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from typing_extensions import override

#: How often it looks.
TICK_S: Final = 1.0

_Item = TypeVar("_Item")


class DecodeWatch(threading.Thread):
    """Tells `on_hang` of each job, once, of which a step takes longer than `limit_s`.

    It counts its own ticks, not a clock: while the process is stopped the decoders stand still as well.
    """

    def __init__(self, limit_s: float, on_hang: Callable[[str], None], tick_s: float = TICK_S) -> None:
        super().__init__(name="decode-watch", daemon=True)
        self._most_ticks = int(limit_s / tick_s)
        self._on_hang = on_hang
        self._tick_s = tick_s
        self._lock = threading.Lock()
        #: How many ticks the step of each job has seen.
        self._ticks: dict[str, int] = {}

    @contextmanager
    def step(self, job_id: str) -> Iterator[None]:
        """What is done inside is done in time, or told of."""
        self._begin(job_id)
        try:
            yield
        finally:
            self._end(job_id)

    @contextmanager
    def pause(self, job_id: str) -> Iterator[None]:
        """What is done inside a step takes as long as it takes; then the step has all of its time again."""
        self._end(job_id)
        try:
            yield
        finally:
            self._begin(job_id)

    def over(self, job_id: str, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items, each of which is made in a step of its own."""
        waiting = iter(items)
        while True:
            try:
                with self.step(job_id):
                    item = next(waiting)
            except StopIteration:
                return
            yield item

    def tick(self) -> list[str]:
        """Count another tick; the jobs whose step takes too long with it."""
        with self._lock:
            for job_id in self._ticks:
                self._ticks[job_id] += 1
            return [job_id for job_id, ticks in self._ticks.items() if ticks == self._most_ticks + 1]

    def _begin(self, job_id: str) -> None:
        with self._lock:
            self._ticks[job_id] = 0

    def _end(self, job_id: str) -> None:
        with self._lock:
            del self._ticks[job_id]

    @override
    def run(self) -> None:
        while True:
            time.sleep(self._tick_s)
            for job_id in self.tick():
                self._on_hang(job_id)
