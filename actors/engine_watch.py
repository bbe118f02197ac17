"""Notices an engine that hangs: nobody else can, for its process goes on to send heartbeats."""

import threading
import time
from collections.abc import Callable
from typing import Final

from typing_extensions import override

#: How often it looks.
TICK_S: Final = 1.0


class EngineWatch(threading.Thread):
    """Tells `on_hang`, once, of a batch that takes longer than `limit_s`.

    It counts its own ticks, not a clock: while the process is stopped, or the machine sleeps, the engine
    stands still as well.
    """

    def __init__(self, limit_s: float, on_hang: Callable[[], None], tick_s: float = TICK_S) -> None:
        super().__init__(name="engine-watch", daemon=True)
        self._limit_s = limit_s
        self._on_hang = on_hang
        self._tick_s = tick_s
        self._busy = False
        self._ticks = 0

    def begun(self) -> None:
        """The engine has got a batch."""
        self._ticks, self._busy = 0, True

    def ended(self) -> None:
        """It has done with it."""
        self._busy = False

    def tick(self) -> bool:
        """Count another tick; whether the engine hangs."""
        self._ticks += 1
        return self._busy and self._ticks * self._tick_s > self._limit_s

    @override
    def run(self) -> None:
        while not self.tick():
            time.sleep(self._tick_s)
        self._on_hang()
