"""Consumes as the others do, but a batch at a time, when it is this process's turn at the cores."""

import time
from typing import Any, Final

import dramatiq
import redis
from typing_extensions import override

from actors.queue import messages
from actors.queue.broker import PEEK_S, DoorbellBroker, DoorbellConsumer
from actors.queue.turns import Rules, Turns
from actors.records import Lane

#: An engine that takes longer than this for what it was given hangs: its core goes to another instance.
HANGS_AFTER_S: Final = 30.0


class TurnBroker(DoorbellBroker):
    """That of an instance which shares its cores."""

    def __init__(self, client: redis.Redis, *, rules: Rules, **others: Any) -> None:
        super().__init__(client, **others)
        self.turns = Turns(client, rules)

    @property
    @override
    def consumer_class(self) -> type["TurnConsumer"]:
        return TurnConsumer

    @override
    def return_messages(self, queue_names: list[str]) -> int:
        returned = super().return_messages(queue_names)
        self.turns.end()
        return returned


class TurnConsumer(DoorbellConsumer):
    """Waits for a ring, takes a turn with its messages, and ends it when the engine has done with them.

    The consumer of the short lane takes for both, because only one of them can be next. That of the long
    lane settles its messages; meanwhile it says that the process lives, and looks for those that do not.
    """

    def __init__(self, broker: TurnBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._turns = broker.turns

    @override
    def _next_ready(self) -> dramatiq.MessageProxy | None:
        if messages.lane(self.queue_name) is Lane.LONG:
            for queue_name in messages.queues(messages.RECOGNIZE):
                self.broker.do_fetch(queue_name, 0)
            time.sleep(self.timeout / 1000)
            return None
        turns = self._turns
        if not turns.taken and self._is_to_look():
            turns.take(self.broker.broker_id, self.broker.slots)
        return dramatiq.MessageProxy(turns.taken.popleft()) if turns.taken else None

    def _is_to_look(self) -> bool:
        """Whether the last turn is over, and it is time to look for the next; waits for it, for a while."""
        turns = self._turns
        if turns.since_s is not None and self.broker.slots.wait_until_recognised(self.timeout / 1000):
            turns.end()
        if turns.since_s is None:
            return self._hears()
        if time.monotonic() - turns.since_s < HANGS_AFTER_S:
            turns.keep()
        return False

    def _hears(self) -> bool:
        """Whether there was a ring, or none for so long that it is time to look anyway."""
        slots, client = self.broker.slots, self.broker.client
        if not slots.room():
            slots.wait_for_release(PEEK_S)
            return False
        bells = self._turns.bells(serves_long=slots.serves_long)
        rung = client.blpop(bells, self.timeout / 1000)
        if rung and slots.closed:
            client.rpush(rung[0], "")  # this process has been told to stop meanwhile
        return not slots.closed
