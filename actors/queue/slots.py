"""The free threads of a worker process, so that it takes only work it can start at once."""

import threading
from collections.abc import Callable

from actors.records import Lane


class Slots:
    """Shared by the consumers of a process; the short lane goes first.

    A consumer reserves a slot before it fetches, so no message waits behind a busy process while
    another one is idle. `capacity`: messages in hand at most; `long_capacity`: of these, from the long
    lane. `sharers`: the processes that share the queues; with work in hand, each then takes no more than
    its share of what waits. Without it a process takes what it has threads for.
    """

    def __init__(self, capacity: int, long_capacity: int | None = None, sharers: int | None = None) -> None:
        self.capacity = capacity
        self._long_capacity = capacity if long_capacity is None else long_capacity
        self._sharers = sharers
        self._changed = threading.Condition()
        self._reserved = {Lane.SHORT: 0, Lane.LONG: 0}
        self._held: dict[str, Lane] = {}
        self._waiting = {Lane.SHORT: 0, Lane.LONG: 0}
        self._released = 0

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

    def may_take(self, count_waiting: Callable[[], int]) -> bool:
        """Whether whoever has just reserved a slot may fetch a message for it.

        An idle process always may. A busy one only where, of its own and the waiting messages together,
        it has less than its share: what the idle ones could take is left to them.
        """
        with self._changed:
            in_hand = self._in_hand() - 1
        if self._sharers is None or in_hand == 0:
            return True
        return in_hand * self._sharers < in_hand + count_waiting()

    @property
    def shared(self) -> bool:
        """Whether a process leaves to others what exceeds its share."""
        return self._sharers is not None

    def idle(self) -> bool:
        """Whether nothing is in hand."""
        with self._changed:
            return not self._held

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

    def hold(self, lane: Lane, message_id: str) -> bool:
        """Turn a reservation into a message in hand; false when that message is in hand already."""
        with self._changed:
            self._reserved[lane] -= 1
            if message_id in self._held:
                self._changed.notify_all()
                return False
            self._held[message_id] = lane
            return True

    def release(self, message_id: str) -> None:
        """The message is done with; releasing it twice does nothing."""
        with self._changed:
            self._held.pop(message_id, None)
            self._released += 1
            self._changed.notify_all()

    def wait_for_release(self, timeout_s: float) -> None:
        """Wait until a message is done with."""
        with self._changed:
            released = self._released
            self._changed.wait_for(lambda: self._released > released, timeout_s)

    def in_hand(self) -> list[str]:
        """The messages being worked on."""
        with self._changed:
            return list(self._held)

    def _in_hand(self) -> int:
        return len(self._held) + sum(self._reserved.values())

    def _free(self, lane: Lane) -> bool:
        if self._in_hand() >= self.capacity:
            return False
        if self.shared and not self._held and self._in_hand():
            return False  # the other lane may be about to end the idleness
        if lane is Lane.SHORT:
            return True
        long_in_hand = self._reserved[lane] + sum(held is lane for held in self._held.values())
        return not self._waiting[Lane.SHORT] and long_in_hand < self._long_capacity
