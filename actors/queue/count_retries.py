"""Counts the messages that have failed and are tried again."""

from typing import Any

from dramatiq import Broker, Message
from dramatiq.middleware import Middleware
from typing_extensions import override

from actors.metrics import RETRIES, STEPS


class CountRetries(Middleware):
    """A failed message is enqueued again with a delay, which nothing else here has."""

    @override
    def after_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        if delay is not None and message.actor_name in STEPS:
            RETRIES.add(message.actor_name)
