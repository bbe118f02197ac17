"""A message that keeps killing its worker is rejected, not handed to one instance after another.

Dramatiq does not count a delivery that ends with the death of the worker. We count the processes that have
begun each message: a process that only held it when it died of another one is not held against it.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Final, cast
from uuid import uuid4

import redis
from dramatiq import Broker, MessageProxy, Worker
from dramatiq.middleware import Middleware, MiddlewareError, SkipMessage
from msgspec import Struct
from redis.client import Pipeline
from typing_extensions import override

from actors.queue.broker import DoorbellBroker
from actors.queue.messages import lane
from actors.records import Lane
from actors.store import keys

#: A message is begun by at most so many processes.
MAX_DELIVERIES: Final = 3


#: Why such a message is rejected, for people.
POISONOUS: Final = f"every worker that took it died, {MAX_DELIVERIES} times in a row"


class DeliveriesExceeded(SkipMessage):
    """Every worker that took the message died over it."""


class DeliveriesUnknown(MiddlewareError):
    """Redis does not say who has begun the message; it is tried again later."""


class Delivery(Struct, frozen=True):
    """The message that an actor's thread works on."""

    id: str
    lane: Lane
    #: Another process has begun it and not ended it: that one may have died of it.
    suspect: bool
    #: When the message was enqueued, Unix milliseconds; None once it has failed and is tried again.
    enqueued_ms: int | None = None


_current: ContextVar[Delivery] = ContextVar("_current")


def current() -> Delivery:
    """The delivery that this thread of an actor works on."""
    return _current.get()


class DeliveryLimit(Middleware):
    """Lets a message fail that `MAX_DELIVERIES` processes have begun.

    It is begun when its actor is called, unless the actor has the option `begins_itself`, and then
    calls `begin`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        #: A message that comes back to a process that still lives has not killed it.
        self._process = uuid4().hex
        self._blamed: set[str] = set()

    @property
    @override
    def actor_options(self) -> set[str]:
        return {"begins_itself"}

    def begin(self, pipe: Pipeline, message_ids: Sequence[str]) -> None:
        """Once the pipeline is executed the death of this process counts against these messages."""
        for key in map(keys.deliveries, message_ids):
            pipe.sadd(key, self._process)
            pipe.expire(key, keys.DELIVERIES_TTL_S)

    def blame(self, message_ids: Sequence[str]) -> None:
        """These have as good as killed this process: it counts against them though it is stopped in order."""
        self._blamed.update(message_ids)

    @override
    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        message_id = message.options["redis_message_id"]
        actor: Any = broker.get_actor(message.actor_name)
        try:
            begun = self._begun(message_id, begin=not actor.options.get("begins_itself"))
        except redis.RedisError as error:
            # Dramatiq ignores any other error here, and calls the actor all the same.
            raise DeliveriesUnknown(str(error)) from error
        others = len(begun - {self._process.encode()})
        if others >= MAX_DELIVERIES:
            message.fail()
            raise DeliveriesExceeded(POISONOUS)
        enqueued_ms = None if message.options.get("retries") else message.message_timestamp
        _current.set(Delivery(message_id, lane(message.queue_name), others > 0, enqueued_ms))

    def _begun(self, message_id: str, *, begin: bool) -> set[bytes]:
        """The processes that have begun a message before; with `begin`, this one has from now on, too."""
        with self._client.pipeline() as pipe:
            pipe.smembers(keys.deliveries(message_id))
            if begin:
                self.begin(pipe, [message_id])
            return cast("set[bytes]", pipe.execute()[0])

    @override
    def after_ack(self, broker: Broker, message: MessageProxy) -> None:
        self._client.delete(keys.deliveries(message.options["redis_message_id"]))

    @override
    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        self.after_ack(broker, message)

    @override
    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        # What is still in hand goes back because the worker was told to stop, not because it died.
        if isinstance(broker, DoorbellBroker):
            for message_id in set(broker.slots.in_hand()) - self._blamed:
                self._client.srem(keys.deliveries(message_id), self._process)
