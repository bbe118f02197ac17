"""Several hosts that share a Redis: their names, their clocks, and what is left of those that have gone."""

import threading
import time
from collections.abc import Iterator
from typing import cast

import msgspec
import pytest
import redis
from dramatiq.common import current_millis

from actors import clock
from actors.clock import TOLERANCE_MS, now_ms
from actors.clock_follower import ClockFollower
from actors.devices import Device
from actors.errors import StartupError
from actors.heartbeat import Heartbeat
from actors.names import WorkerKind, WorkerName
from actors.queue.broker import HEARTBEAT_TIMEOUT_MS
from actors.queue.messages import recognize_segment
from actors.queue.slots import Slots
from actors.records import WorkerReport
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import broker_url, prompt, prompt_broker
from actors.store.workers import (
    ALL_GONE,
    FORGOTTEN_AFTER_MS,
    LOST_AFTER_MS,
    Tries,
    WorkerRegistry,
    forget_gone,
    read_pool,
)
from actors.worker import create_broker
from deploy import preflight
from tests.integration.queue_worker import await_that, running
from tests.integration.test_express import report

CPU = Device("cpu", None, threads=1)
NAME = WorkerName(WorkerKind.INSTANCE, "a", 1)

MINUTE_MS = 60_000


@pytest.fixture(params=[MINUTE_MS, -MINUTE_MS], ids=["ahead", "behind"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The clock of the host, but not that of Redis, is wrong by so many milliseconds."""
    true_ns, wrong_ms = time.time_ns, request.param
    monkeypatch.setattr(time, "time_ns", lambda: true_ns() + wrong_ms * 1_000_000)
    monkeypatch.setattr("dramatiq.brokers.redis.current_millis", lambda: time.time_ns() // 1_000_000)
    yield wrong_ms
    clock.set_by(time.time_ns() // 1_000_000, 0)


def test_the_clock_of_redis_counts(client: redis.Redis, wrong_clock: int) -> None:
    """However wrong that of this host is; it is told once."""
    before = now_ms()

    await_that(ClockFollower(client).ask)  # an answer that takes long says nothing

    assert now_ms() - before == pytest.approx(-wrong_clock, abs=MINUTE_MS / 2)
    assert clock.offset_ms() == pytest.approx(-wrong_clock, abs=TOLERANCE_MS)


def test_an_answer_that_took_long_says_nothing() -> None:
    """Nor does a difference as small as the time of a round trip."""
    clock.set_by(time.time_ns() // 1_000_000 + MINUTE_MS, TOLERANCE_MS + 1)
    assert clock.offset_ms() == 0
    clock.set_by(time.time_ns() // 1_000_000 + TOLERANCE_MS // 2, 1)
    assert clock.offset_ms() == 0


def test_a_wrong_clock_takes_nobodys_messages(config: Settings, wrong_clock: int) -> None:
    """What others have in hand stays there, and what is in hand here is no one else's."""
    held, go_on, worked = threading.Event(), threading.Event(), list[int]()

    def hold(_: str, index: int) -> None:
        worked.append(index)
        held.set()
        go_on.wait(30)

    with running(config, hold) as (broker, _):
        broker.enqueue(recognize_segment("job", 0))
        assert held.wait(60)
        with redis.Redis.from_url(broker_url(config)) as queues:
            heard = queues.zrange("dramatiq:__heartbeats__", 0, -1, withscores=True)
            beats = cast("list[tuple[bytes, float]]", heard)
            seconds, _ = queues.time()
            other = create_broker(config, Slots(1))
            taken = [other.do_fetch("recognize-short", 1) for _ in range(3)]
            go_on.set()

    assert beats
    assert all(abs(seconds * 1000 - at_ms) < HEARTBEAT_TIMEOUT_MS for _, at_ms in beats), wrong_clock
    assert taken == [[], [], []]
    assert worked == [0]


def test_a_delay_is_what_it_is_by_any_clock(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a host whose clock is a minute ahead delays comes in time to one whose clock is right."""
    worked, delay_ms = list[str](), 500
    with monkeypatch.context() as there:
        there.setattr("dramatiq.brokers.redis.current_millis", lambda: now_ms() + 2 * MINUTE_MS)
        there.setattr(clock._Shared, "offset_ms", -MINUTE_MS)
        sent = create_broker(config, Slots(1)).enqueue(recognize_segment("late", 0), delay=delay_ms)
    assert sent.options["eta"] == pytest.approx(now_ms() + delay_ms, abs=MINUTE_MS / 2)

    with running(config, lambda job, _: worked.append(job)):
        await_that(lambda: worked == ["late"])


def test_a_wrong_clock_takes_in_time(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a host that is a minute behind: what is due by the clock of Redis is due."""
    worked, true_ms = list[str](), current_millis
    with running(config, lambda job, _: worked.append(job)) as (broker, _):
        eta_ms = true_ms()
        monkeypatch.setattr("dramatiq.worker.current_millis", lambda: true_ms() - MINUTE_MS)
        monkeypatch.setattr(clock._Shared, "offset_ms", MINUTE_MS)
        monkeypatch.setattr("dramatiq.brokers.redis.current_millis", lambda: eta_ms - MINUTE_MS)
        broker.enqueue(recognize_segment("late", 0), delay=100)
        await_that(lambda: worked == ["late"])


def test_a_rival_is_told_of(client: redis.Redis) -> None:
    """Both say so, for as long as there are two; a successor is none."""
    registry = WorkerRegistry(client)
    registry.report(report(str(NAME)))
    mine, others = (Heartbeat(registry, NAME, CPU, host) for host in ("one", "two"))
    mine.arrive()
    mine.become(mine._state)
    assert mine._rival is None, "it is the successor of the one before"

    others.arrive()
    await_that(lambda: mine._rival is not None and others._rival is not None)
    said = msgspec.json.decode(cast("bytes", client.hget(keys.WORKERS, str(NAME))), type=WorkerReport)
    assert "ASR_NODE" in str(mine._rival)
    others._stopped.set()
    others.join()
    await_that(lambda: mine._rival is None)
    mine.stop()
    assert said.name == str(NAME)


def test_a_start_under_a_taken_name_is_refused(config: Settings, client: redis.Redis) -> None:
    """With the remedy; what was killed a moment ago is no obstacle."""
    here = msgspec.structs.replace(config, node="a", instances=1)
    registry = WorkerRegistry(client)
    registry.report(report("segmenter-1@a"))
    preflight.check_names(here)
    lives = Heartbeat(registry, NAME, CPU, "elsewhere")
    lives.arrive()

    with pytest.raises(StartupError, match=r"instance-1@a runs already: process \d+ on elsewhere.*ASR_NODE"):
        preflight.check_names(here)

    lives.stop()


async def test_what_has_gone_is_forgotten(config: Settings, client: redis.Redis) -> None:
    """But not what it has counted; who may come back keeps his name, and a host that is alone its history."""
    registry, long_ago = WorkerRegistry(client), FORGOTTEN_AFTER_MS + 1
    tries = Tries(succeeded=2, failed=1, audio_ms=10, busy_ms=5)
    names = ("instance-1@left", "instance-1@lost", "instance-1@late", "instance-2@back", "instance-1")
    for name in names:
        registry.busy(name)
        registry.count(name, tries, idle=False)
    registry.arrive("instance-1@lost", predecessor_died=True)
    registry.busy("instance-1@lost")
    registry.leave("instance-1@left", now_ms() - long_ago)
    registry.leave("instance-2@back", now_ms() - long_ago)
    registry.leave("instance-1", now_ms() - long_ago)
    registry.arrive("instance-2@back", predecessor_died=False)
    registry.report(report("instance-1@lost", ago_ms=long_ago))
    registry.report(report("instance-1@late", ago_ms=LOST_AFTER_MS + 1))
    registry.report(report("instance-2@back"))

    async with prompt(config) as connected:
        assert await forget_gone(connected) == 2
        assert await forget_gone(connected) == 0
        pool = await read_pool(connected, now_ms())

    assert pool.counters.keys() == {"instance-1@late", "instance-2@back", "instance-1"}
    assert pool.gone == Tries(succeeded=4, failed=2, audio_ms=20, busy_ms=10)
    assert pool.deaths == {ALL_GONE: 1}
    assert pool.instances.keys() == {"instance-1@late", "instance-2@back"}
    assert pool.busy == {"instance-1@late"}
    assert not client.exists(keys.GONE)


@pytest.mark.usefixtures("promptly")
def test_no_connection_waits_for_ever(config: Settings) -> None:
    """A host that is cut off gets no answer, and no end of the connection either."""
    with prompt_broker(config) as queues:
        queues.ping()
        connection = queues.connection_pool.get_connection()
        assert 1 < (connection.socket_timeout or 0) <= 5
        assert 0 < (connection.socket_connect_timeout or 0) <= 5
        connection.disconnect()
