"""The simulation takes turns as `take_turn.lua` does, of which it repeats the rules."""

import random
from collections.abc import Iterator

import pytest
import redis
from msgspec import Struct
from msgspec.structs import replace
from simpy import Environment

from actors.queue.broker import DoorbellBroker
from actors.queue.messages import recognize_segment
from actors.queue.slots import Slots
from actors.queue.turns import Rules, Turns
from actors.records import Lane
from actors.settings import Settings
from actors.store.connection import broker_url
from actors.worker import create_broker
from loadtest.capacity import measured
from loadtest.capacity.measured import Recording
from loadtest.capacity.simulation import turns as simulated
from loadtest.capacity.simulation.hosts import CPU_LIMITS, cpu_host
from loadtest.capacity.simulation.work import Job, part

RULES = Rules(cores="here", at_once=2, rows=CPU_LIMITS.rows, audio_s=CPU_LIMITS.audio_s, express=False)
INSTANCES = 5
STEPS = 120


@pytest.fixture
def queues(config: Settings) -> Iterator[redis.Redis]:
    """A connection to the database of the queues."""
    with redis.Redis.from_url(broker_url(config)) as connected:
        yield connected


@pytest.fixture
def sender(config: Settings) -> DoorbellBroker:
    """Whoever enqueues."""
    return create_broker(config, Slots(1))


class Both(Struct, eq=False):
    """An instance of the service and of the simulation."""

    turns: Turns
    slots: Slots
    is_express: bool

    def take(self) -> list[int]:
        """The lengths in milliseconds of what the service's gets now; each is another."""
        self.turns.taken.clear()
        self.turns.take("worker", self.slots)
        return [message.options["audio_ms"] for message in self.turns.taken]


@pytest.mark.parametrize("seed", range(6))
def test_the_same_batches(queues: redis.Redis, sender: DoorbellBroker, seed: int) -> None:
    """Whatever comes, and whoever asks: both give the same segments, in the same order, or none."""
    chance = random.Random(seed)
    host = cpu_host(measured.read(), INSTANCES, cores=RULES.at_once)
    env = Environment()
    ours = simulated.Turns(env, host, RULES.at_once)
    instances = [_instance(queues, is_express=number == 0) for number in range(INSTANCES)]
    busy, taken = list[Both](), 0
    for step in range(STEPS):
        match chance.choice(("come", "come", "take", "take", "end")):
            case "come":
                lane, audio_ms = chance.choice(list(Lane)), 1000 * chance.randint(1, 14) + step
                sender.enqueue(recognize_segment(f"{lane}-{step}", 0, lane, audio_ms))
                length_s = 600.0 if lane is Lane.LONG else 10.0
                recording = Recording(name="", audio_s=length_s, segments=((1.0, 1.0),))
                ours.put(part(Job(recording, env), audio_ms / 1000, env.now))
            case "take":
                one = chance.choice([one for one in instances if one not in busy])
                theirs = one.take()
                assert [round(1000 * each.audio_s) for each in ours.take(one)] == theirs
                taken += len(theirs)
                busy += [one] if theirs else []
            case "end" if busy:
                one = busy.pop(chance.randrange(len(busy)))
                one.turns.end()
                ours.end(one)
    assert taken > STEPS / 8


def _instance(queues: redis.Redis, *, is_express: bool) -> Both:
    """One whose slots are never full, and which leaves short ones to the express one for the whole test."""
    slots = Slots(1000)
    slots.serve_long(not is_express)
    slots.leave_short(0 if is_express else 3600)
    return Both(Turns(queues, replace(RULES, express=is_express)), slots, is_express)
