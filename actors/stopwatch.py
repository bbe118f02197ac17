"""How long a stage of a chain of generators takes."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


class Stopwatch:
    """Runs while the next item is waited for, and not while it is worked on."""

    def __init__(self) -> None:
        self.total_s = 0.0

    def over(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items; the time that it takes to make them is counted."""
        waiting = iter(items)
        while True:
            started = time.perf_counter()
            try:
                item = next(waiting)
            except StopIteration:
                return
            finally:
                self.total_s += time.perf_counter() - started
            yield item
