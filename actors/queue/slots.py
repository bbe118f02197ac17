"""The threads of a worker process that messages occupy, so that it takes no more than it should."""

import threading
from collections.abc import Sequence

from actors.records import Lane


class Slots:
    """Shared by the consumers of a process, one for each lane; the short lane goes first.

    A consumer reserves a slot before it fetches; with a message the slot is in hand until that is done
    with. `capacity`: slots in all; `long_capacity`: of these, for the long lane. `sharers`: the processes
    that serve the same queues; one that is busy then leaves to the others what exceeds its share, so that
    no message waits behind it while another is idle. Without it a process takes what it has slots for.
    """

    def __init__(self, capacity: int, long_capacity: int | None = None, sharers: int | None = None) -> None:
        self.capacity = capacity
        self._long_capacity = capacity if long_capacity is None else long_capacity
        self._serves_long = True
        self._leave_short_s = 0.0
        self._sharers = sharers
        self._changed = threading.Condition()
        self._reserved = {Lane.SHORT: 0, Lane.LONG: 0}
        self._held: dict[str, Lane] = {}
        #: Of these, those that the engine has not done with.
        self._unrecognised: set[str] = set()
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

    def may_take(self, lane: Lane, waiting: int, left_s: float = 0) -> bool:
        """Whether a busy process that has just reserved a slot may fetch one of so many waiting messages.

        Some have waited for `left_s`.

        Only where it has less than its share of them and its own together. Long recordings do not count
        against the short lane, or they would stand in its way.
        """
        with self._changed:
            if lane is Lane.SHORT and self._taken(Lane.LONG) and left_s < self._leave_short_s:
                return False
            taken = self._taken(Lane.SHORT) + (self._taken(Lane.LONG) if lane is Lane.LONG else 0) - 1
            return self._sharers is None or taken * self._sharers < taken + waiting

    @property
    def shared(self) -> bool:
        """Whether a process leaves to others what exceeds its share."""
        return self._sharers is not None

    def serve_long(self, serves: bool) -> None:  # noqa: FBT001 - on or off
        """Say whether messages of the long lane are taken from now on."""
        with self._changed:
            self._serves_long = serves
            self._changed.notify_all()

    def leave_short(self, for_s: float) -> None:
        """From now on leave short messages to others for so long while a long one is in hand."""
        with self._changed:
            self._leave_short_s = for_s

    def share_with(self, sharers: int) -> None:
        """From now on share with so many processes, this one included."""
        with self._changed:
            self._sharers = sharers

    @property
    def serves_long(self) -> bool:
        """Whether messages of the long lane are taken."""
        return self._serves_long

    @property
    def leaves_short_s(self) -> float:
        """For how long short messages are left to others while there are long ones."""
        return self._leave_short_s

    def idle(self) -> bool:
        """Whether nothing is in hand."""
        with self._changed:
            return not self._held

    @property
    def closed(self) -> bool:
        """Whether nothing more will be reserved."""
        return self.capacity == 0

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
            return self._admit(lane, message_id)

    def admit(self, lane: Lane, message_id: str) -> bool:
        """Take a message in hand that nothing was reserved for; false when it is in hand already."""
        with self._changed:
            return self._admit(lane, message_id)

    def recognised(self, message_ids: Sequence[str]) -> None:
        """The engine has done with these: they are only in hand until that is written down."""
        with self._changed:
            self._unrecognised.difference_update(message_ids)
            self._changed.notify_all()

    def unrecognised(self) -> int:
        """How many messages in hand the engine has not done with."""
        with self._changed:
            return len(self._unrecognised)

    def wait_until_recognised(self, timeout_s: float) -> bool:
        """Wait until the engine has done with all that is in hand; false when it has not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unrecognised, timeout_s)

    def room(self) -> int:
        """How many more messages could be taken in hand."""
        with self._changed:
            return max(0, self.capacity - len(self._held))

    def release(self, message_id: str) -> None:
        """The message is done with; releasing it twice does nothing."""
        with self._changed:
            self._held.pop(message_id, None)
            self._unrecognised.discard(message_id)
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

    def _admit(self, lane: Lane, message_id: str) -> bool:
        if message_id in self._held:
            self._changed.notify_all()
            return False
        self._held[message_id] = lane
        self._unrecognised.add(message_id)
        return True

    def _taken(self, lane: Lane) -> int:
        return self._reserved[lane] + sum(held is lane for held in self._held.values())

    def _free(self, lane: Lane) -> bool:
        taken = self._taken(Lane.SHORT) + self._taken(Lane.LONG)
        if taken >= self.capacity:
            return False
        if self.shared and taken and not self._held:
            return False  # the other lane may be about to end the idleness
        if lane is Lane.SHORT:
            return True
        if not self._serves_long or self._waiting[Lane.SHORT]:
            return False
        return self._taken(lane) < self._long_capacity
