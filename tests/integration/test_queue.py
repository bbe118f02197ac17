"""Messages reach a free worker at once, and are shared among them."""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import psutil

from actors.queue.messages import recognize_segment
from actors.queue.sender import Sender
from actors.queue.slots import Slots
from actors.records import Lane
from actors.settings import Settings
from actors.store.connection import prompt_queues
from tests.integration.queue_worker import await_that, running


def test_idle_workers_pick_up_at_once(config: Settings) -> None:
    """The doorbell beats the stock consumer, which sleeps up to a second, by far."""
    picked_up = threading.Event()
    picked_up_at: list[float] = []

    def note(_: str, __: int) -> None:
        picked_up_at.append(time.perf_counter())
        picked_up.set()

    delays_ms: list[float] = []
    with running(config, note) as (broker, _):
        for index in range(20):
            time.sleep(0.05)  # idle, so that the consumer waits at its bell
            sent_at = time.perf_counter()
            broker.enqueue(recognize_segment("job", index, Lane.LONG if index % 2 else Lane.SHORT))
            assert picked_up.wait(30)
            picked_up.clear()
            delays_ms.append((picked_up_at[-1] - sent_at) * 1000)

    assert statistics.median(delays_ms) < 50, "stock: about 219 ms"


async def test_a_message_from_an_event_loop_arrives(config: Settings) -> None:
    """At once, as one that a thread has enqueued, and it is done with afterwards."""
    picked_up = asyncio.Queue[tuple[str, int]]()
    loop = asyncio.get_running_loop()

    def note(job_id: str, index: int) -> None:
        loop.call_soon_threadsafe(picked_up.put_nowait, (job_id, index))

    with running(config, note) as (broker, _):
        async with prompt_queues(config) as client:
            await Sender(client).send(recognize_segment("job", 7))
        assert await asyncio.wait_for(picked_up.get(), 30) == ("job", 7)
        await asyncio.to_thread(await_that, lambda: not broker.slots.in_hand())
        assert not broker.client.exists("dramatiq:recognize-short.msgs")


def test_no_ring_is_lost_on_a_busy_process(config: Settings) -> None:
    """Three of five workers are busy with long recordings: the idle ones pick up every short one at once."""
    go_on = threading.Event()
    picked_up: dict[int, float] = {}

    def work(job_id: str, index: int) -> None:
        if job_id == "long":
            go_on.wait(30)
        else:
            picked_up[index] = time.perf_counter()

    delays_ms: list[float] = []
    with ExitStack() as stack:
        brokers = [stack.enter_context(running(config, work))[0] for _ in range(5)]
        time.sleep(0.2)
        for index in range(3):
            brokers[0].enqueue(recognize_segment("long", index, Lane.LONG))
        time.sleep(0.3)
        for index in range(15):
            sent_at = time.perf_counter()
            brokers[0].enqueue(recognize_segment("short", index))
            await_that(lambda index=index: index in picked_up)  # type: ignore[misc]
            delays_ms.append((picked_up[index] - sent_at) * 1000)
        go_on.set()

    late = [delay_ms for delay_ms in delays_ms if delay_ms > 200]
    assert len(late) <= 2, late  # two, for a busy machine; with rings lost it was six


def test_a_stalled_redis_loses_nothing(config: Settings, redis_process: psutil.Process) -> None:
    """Fetches that Redis carries out after the worker has given up on them come back."""
    done: set[int] = set()
    with running(config, lambda _, index: done.add(index)) as (broker, _):
        broker.enqueue(recognize_segment("job", 0))
        await_that(lambda: 0 in done)
        redis_process.suspend()
        try:
            time.sleep(7)  # longer than the connection's time-out of 5 s
        finally:
            redis_process.resume()
        for index in range(1, 5):
            broker.enqueue(recognize_segment("job", index))
        await_that(lambda: done == set(range(5)), timeout_s=40)


def test_idle_workers_share_before_busy_ones_take_more(config: Settings) -> None:
    """Five workers with threads to spare get one of five messages each; of forty more, each a part."""
    go_on = threading.Event()
    took: dict[int, list[int]] = {number: [] for number in range(5)}

    def work_of(number: int) -> Callable[[str, int], None]:
        def work(_: str, index: int) -> None:
            took[number].append(index)
            go_on.wait(30)

        return work

    with ExitStack() as stack:
        brokers = [
            stack.enter_context(running(config, work_of(number), Slots(16, 8, sharers=5)))[0]
            for number in range(5)
        ]
        time.sleep(0.2)
        for index in range(5):
            brokers[0].enqueue(recognize_segment("job", index, Lane.LONG if index % 2 else Lane.SHORT))
        await_that(lambda: sum(map(len, took.values())) == 5)
        assert [len(indices) for indices in took.values()] == [1] * 5

        for index in range(5, 45):
            brokers[0].enqueue(recognize_segment("job", index, Lane.SHORT))
        await_that(lambda: min(map(len, took.values())) >= 2)
        time.sleep(0.3)  # in which one might take too many
        in_hand = [len(indices) for indices in took.values()]
        assert max(in_hand) <= 16
        go_on.set()
        await_that(lambda: sum(map(len, took.values())) == 45)

    assert sorted(index for indices in took.values() for index in indices) == list(range(45))


def test_long_recordings_do_not_starve_short_ones(config: Settings) -> None:
    """A short one waits for a free thread at most, though long ones keep every worker busy."""
    done: list[str] = []

    def work(job_id: str, _: int) -> None:
        time.sleep(0.1)
        done.append(job_id)

    passed: list[int] = []
    with ExitStack() as stack:
        brokers = [stack.enter_context(running(config, work, Slots(16, 8, sharers=5)))[0] for _ in range(2)]
        for index in range(400):
            brokers[0].enqueue(recognize_segment("long", index, Lane.LONG))
        for index in range(5):
            await_that(lambda: len(done) > 10)
            before = len(done)
            brokers[0].enqueue(recognize_segment(f"short-{index}", 0))
            await_that(lambda index=index: f"short-{index}" in done)  # type: ignore[misc]
            passed.append(done[before:].index(f"short-{index}"))

    # Each worker has 8 long ones in hand, and in the 50 ms until it looks it may finish and begin as many.
    assert statistics.median(passed) <= 40, passed


def test_a_busy_worker_takes_nothing(config: Settings) -> None:
    """The message behind a busy worker stays in the queue, for an idle one to take."""
    go_on = threading.Event()
    took: list[tuple[str, int]] = []

    def slow(_: str, index: int) -> None:
        took.append(("slow", index))
        go_on.wait(30)

    with running(config, slow) as (broker, _):
        broker.enqueue(recognize_segment("job", 1))
        await_that(lambda: len(took) == 1)
        broker.enqueue(recognize_segment("job", 2))
        with running(config, lambda _, index: took.append(("idle", index))):
            await_that(lambda: len(took) == 2)
        go_on.set()

    assert took == [("slow", 1), ("idle", 2)]
