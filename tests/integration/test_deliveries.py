"""Messages outlive the workers that die over them, and end when they kill too many."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dramatiq
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from actors.queue.delivery_limit import MAX_DELIVERIES, DeliveryLimit, current
from actors.queue.messages import RECOGNIZE, queue, recognize_segment
from actors.queue.slots import Slots
from actors.records import Lane
from actors.settings import Settings
from actors.store.connection import broker_url, patient
from actors.worker import create_broker
from tests.integration.queue_worker import await_that, running


def test_what_is_in_hand_is_not_begun_twice(config: Settings) -> None:
    """After an outage a message comes back to the worker that has it in hand: it is one piece of work."""
    go_on = threading.Event()
    begun: list[int] = []

    def work(_: str, index: int) -> None:
        begun.append(index)
        if index == 1:
            go_on.wait(30)

    with running(config, work, Slots(4)) as (broker, gave_up):
        broker.enqueue(recognize_segment("job", 1))
        await_that(lambda: begun == [1])
        for index in (2, 3, 4):
            forgotten = broker.broker_id
            broker.start_anew()
            with redis.Redis.from_url(broker_url(config)) as connected:
                connected.zadd(f"{broker.namespace}:__heartbeats__", {forgotten: 0})
            broker.enqueue(recognize_segment("job", index))
            await_that(lambda index=index: index in begun)  # type: ignore[misc]
            time.sleep(0.2)
        go_on.set()
        await_that(lambda: not broker.slots.in_hand())
        time.sleep(1.2)

    assert begun == [1, 2, 3, 4]
    assert gave_up == []


def test_a_failing_message_is_tried_again_then_given_up(config: Settings) -> None:
    """`ASR_MAX_RETRIES` further tries, then the actor's last words, once."""
    tries: list[int] = []

    def fail(_: str, index: int) -> None:
        tries.append(index)
        raise RuntimeError("no luck")

    with running(config, fail) as (broker, gave_up):
        broker.enqueue(recognize_segment("job", 7))
        await_that(lambda: bool(gave_up))

    assert tries == [7] * (1 + config.max_retries)
    assert gave_up == [("job", 7, "no luck")]


def test_a_message_that_kills_is_given_up(config: Settings) -> None:
    """After `MAX_DELIVERIES` deaths the next worker rejects the message without touching it."""
    stuck = threading.Event()
    entered = threading.Event()

    def hang(_: str, __: int) -> None:
        entered.set()
        stuck.wait(60)

    worked: list[int] = []
    sender = create_broker(config, Slots(1))
    sender.enqueue(recognize_segment("job", 1))
    try:
        for _ in range(MAX_DELIVERIES):
            entered.clear()
            with dying_worker(config, hang):
                assert entered.wait(60)
        with running(config, lambda _, index: worked.append(index)) as (_, gave_up):
            await_that(lambda: bool(gave_up))
    finally:
        stuck.set()

    assert worked == []
    assert gave_up == [("job", 1, f"every worker that took it died, {MAX_DELIVERIES} times in a row")]


def test_unknown_deaths_are_asked_for_again(config: Settings) -> None:
    """A message may be poison while Redis does not say how often it has killed: it waits."""
    began: list[int] = []
    nowhere = DeliveryLimit(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)))
    with running(config, lambda _, index: began.append(index), deliveries=nowhere) as (broker, gave_up):
        broker.enqueue(recognize_segment("job", 1))
        await_that(lambda: bool(gave_up))

    assert began == []
    assert "refused" in gave_up[0][2]


def test_what_dies_beside_a_killer_is_not_given_up(config: Settings) -> None:
    """Only what a dead worker had begun may have killed it; what it merely held is innocent."""
    stuck = threading.Event()
    entered: set[int] = set()
    worked: list[tuple[int, bool]] = []
    sender = create_broker(config, Slots(1))
    for index in (1, 2):
        sender.enqueue(recognize_segment("job", index))
    try:
        for _ in range(MAX_DELIVERIES):
            entered.clear()
            client = patient(config)
            deliveries = DeliveryLimit(client)

            def hold(
                _: str, index: int, client: redis.Redis = client, deliveries: DeliveryLimit = deliveries
            ) -> None:
                if index == 1:
                    with client.pipeline() as pipe:
                        deliveries.begin(pipe, [current().id])
                        pipe.execute()
                entered.add(index)
                stuck.wait(60)

            with dying_worker(config, hold, deliveries):
                await_that(lambda: entered == {1, 2})
        with running(config, lambda _, index: worked.append((index, current().suspect))) as (_, gave_up):
            await_that(lambda: bool(gave_up and worked))
    finally:
        stuck.set()

    assert worked == [(2, False)]
    assert [index for _, index, _ in gave_up] == [1]


@contextmanager
def dying_worker(
    config: Settings, recognize: Callable[[str, int], None], deliveries: DeliveryLimit | None = None
) -> Iterator[None]:
    """A worker that is gone afterwards, as if killed: it acknowledges nothing, its heartbeat is old."""
    broker = create_broker(config, Slots(2), deliveries)
    dramatiq.Actor(
        recognize,
        broker=broker,
        actor_name=RECOGNIZE,
        queue_name=queue(RECOGNIZE, Lane.SHORT),
        priority=0,
        options={"on_give_up": lambda *_: None, "begins_itself": deliveries is not None},
    )
    worker = dramatiq.Worker(broker, worker_threads=2)
    worker.start()
    try:
        yield
    finally:  # else it would take the messages of the tests that follow one that has failed
        for consumer in worker.consumers.values():
            consumer.stop()
        for consumer in worker.consumers.values():
            consumer.join()
        with redis.Redis.from_url(broker_url(config)) as connected:
            connected.zadd(f"{broker.namespace}:__heartbeats__", {broker.broker_id: 0})
        broker.broker_id = "dead"  # what the thread still does when it wakes, it does under another name


def test_what_is_in_hand_goes_back_on_stop(config: Settings) -> None:
    """A worker told to stop returns the message it cannot finish, and that does not count as a death."""
    stuck = threading.Event()
    entered = threading.Event()

    def hang(_: str, __: int) -> None:
        entered.set()
        stuck.wait(60)

    done: list[int] = []
    try:
        for _ in range(MAX_DELIVERIES + 1):
            entered.clear()
            with running(config, hang) as (broker, _):
                if not done:
                    broker.enqueue(recognize_segment("job", 1))
                    done.append(0)
                assert entered.wait(60)
        with running(config, lambda _, index: done.append(index)) as (_, gave_up):
            await_that(lambda: len(done) == 2)
    finally:
        stuck.set()

    assert gave_up == []
