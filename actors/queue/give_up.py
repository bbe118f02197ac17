"""The last words of an actor whose message is rejected for good."""

from typing import Any

from dramatiq import Broker, MessageProxy
from dramatiq.middleware import Middleware
from typing_extensions import override


class GiveUp(Middleware):
    """Calls the actor's `on_give_up(*args, error)` when its message is rejected for good."""

    @property
    @override
    def actor_options(self) -> set[str]:
        return {"on_give_up"}

    @override
    def before_nack(self, broker: Broker, message: MessageProxy) -> None:
        # Before, not after: when Redis is away the rejection is repeated, and this with it.
        actor: Any = broker.get_actor(message.actor_name)
        error = message._exception or RuntimeError("rejected")  # noqa: SLF001
        actor.options["on_give_up"](*message.args, error)
