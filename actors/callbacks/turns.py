"""No receiver is tried by many threads at once: a dead one would hold them all, and all others up."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Final

#: Tries at the same time of one receiver, by one process.
AT_ONCE: Final = 2


class Turns:
    """Gives each receiver's turns to whoever asks first, and makes nobody wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def turn(self, receiver: Hashable) -> Iterator[bool]:
        """Take a turn, if there is one; whether there was."""
        with self._lock:
            free = self._taken[receiver] < AT_ONCE
            self._taken[receiver] += free
        try:
            yield free
        finally:
            with self._lock:
                self._taken[receiver] -= free
                if not self._taken[receiver]:
                    del self._taken[receiver]
