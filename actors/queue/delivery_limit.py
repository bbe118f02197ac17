"""A message that keeps killing its worker is rejected, not handed to one instance after another."""

from typing import Final
from uuid import uuid4

import redis
from dramatiq import Broker, MessageProxy, Worker
from dramatiq.middleware import Middleware, SkipMessage
from typing_extensions import override

from actors.queue.broker import DoorbellBroker
from actors.store import keys

#: Dramatiq does not count a delivery that ends with the death of the worker; we do, up to this many.
MAX_DELIVERIES: Final = 3


#: Why such a message is rejected, for people.
POISONOUS: Final = f"every worker that took it died, {MAX_DELIVERIES} times in a row"


class DeliveriesExceeded(SkipMessage):
    """Every worker that took the message died over it."""


class DeliveryLimit(Middleware):
    """Counts the processes that each message was delivered to, and lets it fail past `MAX_DELIVERIES`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        #: A message that comes back to a process that still lives has not killed it.
        self._process = uuid4().hex

    @override
    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        key = keys.deliveries(message.options["redis_message_id"])
        with self._client.pipeline() as pipe:
            pipe.sadd(key, self._process)
            pipe.scard(key)
            pipe.expire(key, keys.DELIVERIES_TTL_S)
            deliveries: int = pipe.execute()[1]
        if deliveries > MAX_DELIVERIES:
            message.fail()
            raise DeliveriesExceeded(POISONOUS)

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
            for message_id in broker.slots.in_hand():
                self._client.srem(keys.deliveries(message_id), self._process)
