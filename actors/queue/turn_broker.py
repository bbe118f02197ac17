"""Consumes as the others do, but takes a batch at a time, when it is this process's turn."""

import time
from collections import deque
from typing import Any, Final

import dramatiq
import redis
import structlog
from typing_extensions import override

from actors.queue import messages
from actors.queue.broker import PEEK_S, DoorbellBroker, DoorbellConsumer
from actors.queue.turns import Rules, Turns
from actors.records import Lane

#: An engine that takes longer than this for a batch hangs: its core is given to another instance.
HANGS_AFTER_S: Final = 30.0

log = structlog.stdlib.get_logger()


class TurnBroker(DoorbellBroker):
    """That of an instance which shares its cores."""

    def __init__(self, client: redis.Redis, *, rules: Rules, **others: Any) -> None:
        super().__init__(client, **others)
        self.turns = Turns(client, self.namespace, rules)

    @property
    @override
    def consumer_class(self) -> type["TurnConsumer"]:
        return TurnConsumer


class TurnConsumer(DoorbellConsumer):
    """Waits for a ring, takes a turn with its messages, and ends it when the engine has done with them.

    The consumer of the short lane takes for both, because only one of them can be next; that of the long
    lane settles what belongs to it.
    """

    broker: TurnBroker

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._taken = deque[dramatiq.MessageProxy]()
        self._turn_since_s: float | None = None

    @override
    def _next_ready(self) -> dramatiq.MessageProxy | None:
        if messages.lane(self.queue_name) is Lane.LONG:
            self._fetch(0)  # a heartbeat, and a look for dead workers
            time.sleep(self.timeout / 1000)
            return None
        if not self._taken and self._end_turn() and self._hear():
            self._take()
        return self._taken.popleft() if self._taken else None

    def _end_turn(self) -> bool:
        """Wait until the engine has done with what was taken last; false when it has not in time."""
        if self._turn_since_s is None:
            return True
        if self.broker.slots.wait_until_recognised(self.timeout / 1000):
            self.broker.turns.end()
            self._turn_since_s = None
            return True
        self._fetch(0)
        if time.monotonic() - self._turn_since_s < HANGS_AFTER_S:
            self.broker.turns.keep()
        return False

    def _hear(self) -> bool:
        """Wait for a ring, and for the time to look without one; false when nothing may be taken."""
        slots = self.broker.slots
        if not slots.room():
            self._fetch(0)
            slots.wait_for_release(PEEK_S)
            return False
        bells = self.broker.turns.bells(serves_long=slots.serves_long)
        rung = self.broker.client.blpop(bells, self.timeout / 1000)
        if rung and slots.closed:
            self.broker.client.rpush(rung[0], "")  # this process has been told to stop meanwhile
        if not rung:
            self._fetch(0)
        return not slots.closed

    def _take(self) -> None:
        slots = self.broker.slots
        for data in self.broker.turns.take(self.broker.broker_id, slots):
            self._turn_since_s = time.monotonic()
            message = dramatiq.Message.decode(data)
            # What is in hand and comes back after an outage is the same work: its end settles both.
            if slots.admit(messages.lane(message.queue_name), message.options["redis_message_id"]):
                self._taken.append(dramatiq.MessageProxy(message))
