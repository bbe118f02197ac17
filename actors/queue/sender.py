"""Hands messages to the queues from an event loop, as `DoorbellBroker.enqueue` does from a thread."""

from typing import Any
from uuid import uuid4

import redis.asyncio
from dramatiq import Message

from actors.queue.broker import ENQUEUE, enqueuing


class Sender:
    """Enqueues and rings; `client` is connected to Dramatiq's database."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._enqueue = client.register_script(ENQUEUE)

    async def send(self, message: Message[Any]) -> None:
        """Enqueue a message; enqueued twice it does no harm."""
        number = str(uuid4())
        queued = message.copy(options={"redis_message_id": number})
        names, values = enqueuing(queued.queue_name, number, queued.encode())
        await self._enqueue(keys=names, args=values)
