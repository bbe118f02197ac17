"""Instances that share cores calculate in turn, and take a batch each time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import cast

import pytest
import redis

from actors.queue.broker import EXPRESS_BELL, DoorbellBroker
from actors.queue.messages import recognize_segment
from actors.queue.slots import Slots
from actors.queue.turns import LEASE_MS, Rules, Turns
from actors.records import Lane
from actors.settings import Settings
from actors.store.connection import broker_url
from actors.worker import create_broker
from tests.integration.queue_worker import await_that, running

RULES = Rules(cores="here", at_once=2, rows=4, audio_s=20.0, express=False)
EXPRESS = Rules(cores="here", at_once=2, rows=4, audio_s=20.0, express=True)

#: Of the cores of `RULES`.
CORES_BELL = "dramatiq:turns.here.bell"


@pytest.fixture
def queues(config: Settings) -> Iterator[redis.Redis]:
    """A connection to the database of the queues."""
    with redis.Redis.from_url(broker_url(config)) as connected:
        yield connected


@pytest.fixture
def sender(config: Settings) -> DoorbellBroker:
    """Whoever enqueues."""
    return create_broker(config, Slots(1))


def send(sender: DoorbellBroker, count: int, lane: Lane = Lane.SHORT, audio_ms: int = 1000) -> None:
    """Enqueue so many segments of a job that is called as its lane."""
    for index in range(count):
        sender.enqueue(recognize_segment(lane, index, lane, audio_ms))


class Instance:
    """Takes turns, and keeps what it has taken in hand."""

    def __init__(self, queues: redis.Redis, rules: Rules = RULES, slots: Slots | None = None) -> None:
        self.slots = slots or Slots(8)
        self.turns = Turns(queues, rules)

    def take(self) -> list[tuple[str, int]]:
        """Job and segment of what it gets now."""
        self.turns.taken.clear()
        self.turns.take("worker", self.slots)
        return [(message.args[0], message.args[1]) for message in self.turns.taken]


def shorts(*indices: int) -> list[tuple[str, int]]:
    """These segments of the short recording."""
    return [("short", index) for index in indices]


def longs(*indices: int) -> list[tuple[str, int]]:
    """These segments of the long recording."""
    return [("long", index) for index in indices]


def test_no_more_turns_than_cores(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """A third instance takes nothing until one of two has ended its turn; other cores are free."""
    first, second, third = (Instance(queues) for _ in range(3))
    elsewhere = Instance(queues, Rules(cores="there", at_once=1, rows=1, audio_s=20.0, express=False))
    send(sender, 12)

    assert first.take() == shorts(0, 1, 2, 3)
    assert second.take() == shorts(4, 5, 6, 7)
    assert third.take() == []
    assert elsewhere.take() == shorts(8)
    first.turns.end()
    assert third.take() == shorts(9, 10, 11)
    assert first.take() == []


def test_what_waits_is_spread_over_free_cores(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """Each takes its share of it; whoever takes the last core takes the rest."""
    send(sender, 3)

    assert Instance(queues).take() == shorts(0, 1)
    assert Instance(queues).take() == shorts(2)


def test_a_batch_has_as_much_audio_as_it_may(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """What is longer by itself goes alone."""
    send(sender, 5, audio_ms=9_000)
    send(sender, 1, audio_ms=25_000)
    one_core = Rules(cores="here", at_once=1, rows=4, audio_s=20.0, express=False)
    instance = Instance(queues, one_core)

    taken = []
    for _ in range(4):
        taken.append(len(instance.take()))
        instance.turns.end()
    assert taken == [2, 2, 1, 1]


def test_no_more_than_there_are_threads_for(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """What is only written down yet still has its threads."""
    send(sender, 9)
    instance = Instance(queues, slots=Slots(5))

    assert len(instance.take()) == 4
    assert len(instance.take()) == 1
    assert instance.take() == []


def test_long_recordings_take_free_cores_only(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """Short ones go first, and no batch has both; who serves no long ones takes none."""
    send(sender, 2, Lane.LONG)
    send(sender, 1)
    closed = Slots(8)
    closed.serve_long(False)

    assert Instance(queues).take() == shorts(0)
    assert Instance(queues, slots=closed).take() == []
    assert Instance(queues).take() == longs(0, 1)


def test_an_express_instance_does_not_wait_for_long_recordings(
    queues: redis.Redis, sender: DoorbellBroker
) -> None:
    """All cores are taken by them, and it takes all that is short; not where short ones have the cores."""
    send(sender, 8, Lane.LONG)
    assert Instance(queues).take()
    assert Instance(queues).take()
    send(sender, 8)
    express, second = Instance(queues, EXPRESS), Instance(queues, EXPRESS)

    assert Instance(queues).take() == []
    assert express.take() == shorts(0, 1, 2, 3)
    assert second.take() == shorts(4, 5, 6, 7)
    send(sender, 1)
    assert Instance(queues, EXPRESS).take() == []


def test_short_recordings_are_left_to_express_instances(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """For a while, if there are long ones; these do not wait for it, and the express ones are rung."""
    leaving, patient = Slots(8), Slots(8)
    leaving.leave_short(3600)
    patient.leave_short(0.001)
    send(sender, 2, Lane.LONG)
    send(sender, 1)
    time.sleep(0.01)

    assert Instance(queues, slots=leaving).take() == longs(0)
    assert Instance(queues, slots=leaving).take() == longs(1)
    bells = Instance(queues, EXPRESS).turns.bells(serves_long=False)
    assert queues.llen(bells[1]) == 2
    queues.flushdb()
    send(sender, 1)
    assert Instance(queues, slots=leaving).take() == shorts(0), "there are no long ones"
    send(sender, 1)
    send(sender, 1, Lane.LONG)
    time.sleep(0.01)
    assert Instance(queues, slots=patient).take() == shorts(0), "it has been left for long enough"


def test_what_is_left_is_heard_by_those_who_take_no_turns(
    queues: redis.Redis, sender: DoorbellBroker, config: Settings
) -> None:
    """The express instances of a host with a GPU, or with cores for all, are rung at once as well."""
    leaving = Slots(8)
    leaving.leave_short(3600)
    send(sender, 2, Lane.LONG)
    send(sender, 1)
    Instance(queues, slots=leaving).take()
    queues.delete(sender.bell("recognize-short"))

    assert queues.llen(EXPRESS_BELL) == 1
    broker = create_broker(config, Slots(2), express=True)
    consumer = broker.consume("recognize-short", timeout=60_000)
    assert next(consumer), "what waited"
    assert next(consumer) is None, "woken at once, though the queue's own bell is silent"
    assert queues.llen(EXPRESS_BELL) == 0


def test_a_dead_instance_loses_its_turn(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """One that says that it goes on keeps it."""
    one_core = Rules(cores="here", at_once=1, rows=1, audio_s=20.0, express=False)
    instance, other = Instance(queues, one_core), Instance(queues, one_core)
    send(sender, 3)
    assert instance.take() == shorts(0)

    expire(queues)
    instance.turns.keep()
    assert other.take() == []
    expire(queues)
    assert other.take() == shorts(1)
    instance.turns.keep()
    other.turns.end()
    assert other.take() == shorts(2), "a lost turn is not had again"


def expire(queues: redis.Redis) -> None:
    """Let the time pass in which turns must be kept."""
    for key in queues.scan_iter("dramatiq:turns.*"):
        for holder in cast("list[bytes]", queues.zrange(key, 0, -1)):
            queues.zincrby(key, -LEASE_MS, holder)


def test_whoever_leaves_something_rings(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """If there is another core for it: to all hosts and at its own cores; for what waits, and only then."""
    instance = Instance(queues, Rules(cores="here", at_once=2, rows=2, audio_s=20.0, express=False))
    bell, long_bell = instance.turns.bells(serves_long=True)
    send(sender, 3)
    queues.delete(bell)

    instance.take()
    assert (queues.llen(bell), queues.llen(CORES_BELL), queues.llen(long_bell)) == (1, 1, 0)
    queues.delete(bell, CORES_BELL)
    instance.turns.end()
    assert (queues.llen(bell), queues.llen(CORES_BELL)) == (0, 1)


def test_who_finds_no_core_listens_for_one(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """The ring that it heard is for another host; its own rings once a turn has ended."""
    one_core = Rules(cores="here", at_once=1, rows=1, audio_s=20.0, express=False)
    instance, other = Instance(queues, one_core), Instance(queues, one_core)
    bell, _ = other.turns.bells(serves_long=True)
    send(sender, 2)
    instance.take()
    queues.delete(bell)

    assert other.take() == []
    assert queues.llen(bell) == 1
    assert other.turns.bells(serves_long=True) == [CORES_BELL]
    instance.turns.end()
    assert other.take() == shorts(1)
    assert other.turns.bells(serves_long=True)[0] == bell


def test_what_is_taken_is_in_the_hands_of_somebody_alive(queues: redis.Redis, sender: DoorbellBroker) -> None:
    """Also if that worker has never been heard of: should it die at once, Dramatiq gives it back."""
    send(sender, 1)

    assert Instance(queues).take() == shorts(0)

    assert queues.zscore("dramatiq:__heartbeats__", "worker") is not None
    assert queues.scard("dramatiq:__acks__.worker.recognize-short") == 1


def test_every_message_is_worked_on_and_no_more_at_once_than_cores(config: Settings) -> None:
    """Four instances with two cores: batches of what has come together, two at a time, and all of it."""
    busy: list[int] = []
    most_busy = [0]
    done: list[tuple[str, int]] = []
    all_slots = [Slots(8) for _ in range(4)]

    def work_of(slots: Slots) -> Callable[[str, int], None]:
        def work(job_id: str, index: int) -> None:
            busy.append(id(slots))
            most_busy[0] = max(most_busy[0], len(set(busy)))
            time.sleep(0.02)
            busy.remove(id(slots))
            done.append((job_id, index))

        return work

    with ExitStack() as stack:
        brokers = [
            stack.enter_context(running(config, work_of(slots), slots, rules=RULES))[0] for slots in all_slots
        ]
        send(brokers[0], 60)
        send(brokers[0], 60, Lane.LONG)
        await_that(lambda: len(done) == 120, timeout_s=30)

    assert sorted(done) == sorted(shorts(*range(60)) + longs(*range(60)))
    assert most_busy == [2]


def test_a_turn_ends_with_the_engine(config: Settings) -> None:
    """What is left to write down holds nobody up."""
    go_on = threading.Event()
    one_core = Rules(cores="here", at_once=1, rows=4, audio_s=20.0, express=False)
    slots, worked = Slots(8), list[str]()

    def write_down(_: str, __: int) -> None:
        worked.append("first")
        slots.recognised(slots.in_hand())
        go_on.wait(30)

    with running(config, write_down, slots, rules=one_core) as (broker, _):
        send(broker, 1)
        await_that(lambda: worked == ["first"])
        with running(config, lambda *_: worked.append("second"), rules=one_core):
            slots.close()
            send(broker, 1)
            await_that(lambda: worked == ["first", "second"])
        go_on.set()
