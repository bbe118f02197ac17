"""A worker of the queue in this process, for the tests of the queue."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dramatiq
import pytest

from actors.queue.broker import DoorbellBroker
from actors.queue.delivery_limit import DeliveryLimit
from actors.queue.messages import RECOGNIZE, queue, queues
from actors.queue.slots import Slots
from actors.queue.turns import Rules
from actors.records import Lane
from actors.settings import Settings
from actors.store.connection import patient
from actors.worker import create_broker

GaveUp = list[tuple[str, int, str]]


@contextmanager
def running(
    config: Settings,
    recognize: Callable[[str, int], None],
    slots: Slots | None = None,
    deliveries: DeliveryLimit | None = None,
    rules: Rules | None = None,
) -> Iterator[tuple[DoorbellBroker, GaveUp]]:
    """A worker that serves both lanes with `recognize`, and what it gave up."""
    gave_up: GaveUp = []
    deliveries = deliveries or DeliveryLimit(patient(config))
    broker = create_broker(config, slots or Slots(1), deliveries, rules)
    dramatiq.Actor(
        recognize,
        broker=broker,
        actor_name=RECOGNIZE,
        queue_name=queue(RECOGNIZE, Lane.SHORT),
        priority=0,
        options={
            "on_give_up": lambda job_id, index, error: gave_up.append((job_id, index, str(error))),
        },
    )
    for name in queues(RECOGNIZE):
        broker.declare_queue(name)
    with serving(broker, RECOGNIZE, deliveries):
        yield broker, gave_up


@contextmanager
def serving(broker: DoorbellBroker, step: str, deliveries: DeliveryLimit) -> Iterator[None]:
    """A worker at work on the queues of a step; afterwards it has ended, and its connections are closed."""
    worker = dramatiq.Worker(broker, queues=set(queues(step)), worker_threads=broker.slots.capacity)
    worker.start()
    try:
        yield
    finally:
        broker.slots.close()
        worker.stop(timeout=300)
        for consumer in worker.consumers.values():
            consumer.join(5)
        broker.return_messages(queues(step))
        broker.client.close()
        deliveries._client.close()


def await_that(happened: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait for something another thread does."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > deadline:
            pytest.fail("it did not happen in time")
        time.sleep(0.005)
