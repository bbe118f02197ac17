"""Everything that is logged while a message is worked on says for which job."""

import structlog
from dramatiq import Broker, MessageProxy
from dramatiq.middleware import Middleware
from typing_extensions import override


class LogContext(Middleware):
    """Binds the job's id in the thread that works on a message, until it takes the next."""

    @override
    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(job=message.args[0])
