"""The free threads of a worker process, so that it takes only work it can start at once."""

import threading

from actors.records import Lane


class Slots:
    """Shared by the consumers of a process; the short lane goes first.

    A consumer reserves a slot before it fetches, so no message waits behind a busy instance while
    another one is idle.
    """

    def __init__(self, capacity: int, long_capacity: int | None = None) -> None:
        self.capacity = capacity
        self._long_capacity = capacity if long_capacity is None else long_capacity
        self._changed = threading.Condition()
        self._reserved = {Lane.SHORT: 0, Lane.LONG: 0}
        self._held: dict[str, Lane] = {}
        self._waiting = {Lane.SHORT: 0, Lane.LONG: 0}

    def reserve(self, lane: Lane, timeout_s: float) -> bool:
        """Wait for a slot; false when none came free in time."""
        with self._changed:
            self._waiting[lane] += 1
            try:
                if not self._changed.wait_for(lambda: self._free(lane), timeout_s):
                    return False
                self._reserved[lane] += 1
                return True
            finally:
                self._waiting[lane] -= 1
                self._changed.notify_all()

    def free(self, lane: Lane) -> bool:
        """Whether a slot could be reserved at once."""
        with self._changed:
            return self._free(lane)

    def waiting(self) -> int:
        """How many consumers wait for a slot."""
        with self._changed:
            return sum(self._waiting.values())

    def close(self) -> None:
        """Reserve nothing from now on: the process is about to stop."""
        with self._changed:
            self.capacity = 0

    def cancel(self, lane: Lane) -> None:
        """Give a reserved slot back: there was no message for it."""
        with self._changed:
            self._reserved[lane] -= 1
            self._changed.notify_all()

    def hold(self, lane: Lane, message_id: str) -> None:
        """Turn a reservation into a message in hand."""
        with self._changed:
            self._reserved[lane] -= 1
            self._held[message_id] = lane

    def release(self, message_id: str) -> None:
        """The message is done with; releasing it twice does nothing."""
        with self._changed:
            self._held.pop(message_id, None)
            self._changed.notify_all()

    def in_hand(self) -> list[str]:
        """The messages being worked on."""
        with self._changed:
            return list(self._held)

    def _free(self, lane: Lane) -> bool:
        if len(self._held) + sum(self._reserved.values()) >= self.capacity:
            return False
        if lane is Lane.SHORT:
            return True
        long_in_hand = self._reserved[lane] + sum(held is lane for held in self._held.values())
        return not self._waiting[Lane.SHORT] and long_in_hand < self._long_capacity
