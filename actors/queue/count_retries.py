"""Counts the messages that have failed and are tried again."""

from typing import Any

from dramatiq import Broker, Message
from dramatiq.middleware import Middleware
from typing_extensions import override

from actors.metrics import RETRIES, STEPS


class CountRetries(Middleware):
    """A failed message is enqueued again with a delay; another with a delay has only come too early."""

    @override
    def after_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        if delay is not None and "retries" in message.options and message.actor_name in STEPS:
            RETRIES.add(message.actor_name)
