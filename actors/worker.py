"""A worker process: one Dramatiq worker that runs until it is told to stop.

It runs Dramatiq's `Worker` itself instead of the `dramatiq` command: there is then one process per
instance and no parent whose death would leave an orphan with the model in its hands.
"""

import signal
import threading
import time
from collections.abc import Callable
from typing import Final

import dramatiq
import structlog
from dramatiq.middleware import Middleware, Retries

from actors.life_sign import say_ready
from actors.queue.broker import DoorbellBroker
from actors.queue.count_retries import CountRetries
from actors.queue.delivery_limit import DeliveryLimit
from actors.queue.give_up import GiveUp
from actors.queue.log_context import LogContext
from actors.queue.messages import queues
from actors.queue.slots import Slots
from actors.queue.turn_broker import TurnBroker
from actors.queue.turns import Rules
from actors.settings import Settings
from actors.store.connection import patience, patient, prompt_broker

#: What is in hand when the process is told to stop may take this long; then it goes back to its queue.
STOP_GRACE_S: Final = 20.0
_STOP_POLL_S: Final = 0.05

#: Consumers wait a second at the doorbell before they see that they are to end.
_END_OF_THREADS_MS: Final = 3_000

#: Pause before a failed step is tried again: the first time, and at most.
MIN_BACKOFF_MS: Final = 200
MAX_BACKOFF_MS: Final = 3_000

log = structlog.stdlib.get_logger()


def create_broker(
    settings: Settings,
    slots: Slots,
    deliveries: DeliveryLimit | None = None,
    rules: Rules | None = None,
    *,
    express: bool = False,
) -> DoorbellBroker:
    """The broker of a process that consumes; by `rules`, if it takes turns with others.

    `express`: whether it is an instance that short messages are left to.
    """
    middleware: list[Middleware] = [
        LogContext(),
        deliveries or DeliveryLimit(patient(settings)),
        Retries(max_retries=settings.max_retries, min_backoff=MIN_BACKOFF_MS, max_backoff=MAX_BACKOFF_MS),
        GiveUp(),
        CountRetries(),
    ]
    client, retry = prompt_broker(settings), patience()
    if rules:
        return TurnBroker(client, rules=rules, retry=retry, slots=slots, middleware=middleware)
    return DoorbellBroker(client, retry=retry, slots=slots, express=express, middleware=middleware)


def stop_requested() -> threading.Event:
    """An event that is set by SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(
    broker: DoorbellBroker, step: str, stop: threading.Event, count_unfinished: Callable[[], int] = lambda: 0
) -> None:
    """Work on all queues of a step until `stop` is set; then finish or return what is in hand.

    `count_unfinished` is asked from then on: how many of the messages in hand will never be done with.
    """
    for queue in queues(step):
        broker.declare_queue(queue)
    worker = dramatiq.Worker(broker, queues=set(queues(step)), worker_threads=broker.slots.capacity)
    worker.start()
    log.info("worker.ready", step=step, threads=broker.slots.capacity)
    say_ready()
    stop.wait()
    broker.slots.close()
    # Dramatiq's own time-out is shorter the more threads there are: it counts the same wait many times.
    gives_up_s = time.monotonic() + STOP_GRACE_S
    while len(broker.slots.in_hand()) > count_unfinished() and time.monotonic() < gives_up_s:
        time.sleep(_STOP_POLL_S)
    worker.stop(timeout=_END_OF_THREADS_MS)
    returned = broker.return_messages(queues(step))
    log.info("worker.stopped", step=step, returned=returned)
