"""Who serves which lane: an express instance takes short recordings, as long as others take the long ones."""

import redis

from actors.clock import now_ms
from actors.express import LEFT_TO_EXPRESS_S, LaneKeeper
from actors.names import WorkerKind, WorkerName
from actors.queue.slots import Slots
from actors.records import Lane, WorkerReport, WorkerState
from actors.store import keys
from actors.store.work import WorkStore
from actors.store.workers import LOST_AFTER_MS, WorkerRegistry

EXPRESS, INSTANCES = 2, 5


def report(name: str, state: WorkerState = WorkerState.READY, ago_ms: int = 0) -> WorkerReport:
    """What a worker has said."""
    now = now_ms() - ago_ms
    return WorkerReport(
        name=name,
        state=state,
        host="here",
        pid=1,
        device="cpu",
        express=WorkerName.parse(name).number <= EXPRESS,
        rss_mb=1,
        started_ms=now,
        beat_ms=now,
    )


def keeper(client: redis.Redis, slots: Slots, number: int, node: str = "") -> LaneKeeper:
    """That of an instance."""
    store, name = WorkStore(client, 60), WorkerName(WorkerKind.INSTANCE, node, number)
    registry, is_express = WorkerRegistry(client), number <= EXPRESS
    return LaneKeeper(registry, store, slots, name, is_express=is_express, instances=INSTANCES)


def test_long_recordings_have_somebody(client: redis.Redis) -> None:
    """The express instance takes them while every other one is loading, in error, lost, or express too."""
    registry, slots = WorkerRegistry(client), Slots(2)
    express = keeper(client, slots, 1)

    def takes_long() -> bool:
        express.look()
        taken = slots.reserve(Lane.LONG, 0)
        if taken:
            slots.cancel(Lane.LONG)
        return taken

    registry.report(report("instance-1"))
    registry.report(report("instance-2"))
    registry.report(report("segmenter-3"))
    registry.report(report("instance-3", WorkerState.LOADING))
    registry.report(report("instance-4", WorkerState.ERROR))
    registry.report(report("instance-5", ago_ms=LOST_AFTER_MS + 1000))
    assert takes_long()
    registry.report(report("instance-3"))
    assert not takes_long()
    registry.leave("instance-3", now_ms())
    assert takes_long()


def test_short_recordings_have_somebody(client: redis.Redis) -> None:
    """What is left to the express instances is taken by the others when there is none, or left too long."""
    registry, slots = WorkerRegistry(client), Slots(2, sharers=INSTANCES)
    other = keeper(client, slots, 3)
    assert slots.reserve(Lane.LONG, 0)
    assert slots.hold(Lane.LONG, "long")
    assert slots.reserve(Lane.SHORT, 0)

    registry.report(report("instance-1"))
    other.look()
    assert not slots.may_take(Lane.SHORT, 9)
    assert slots.may_take(Lane.SHORT, 9, LEFT_TO_EXPRESS_S)
    registry.leave("instance-1", now_ms())
    other.look()
    assert slots.may_take(Lane.SHORT, 1)


def test_an_express_instance_takes_all_that_is_short(client: redis.Redis) -> None:
    """While the others are busy with long recordings; else they share."""
    registry, slots = WorkerRegistry(client), Slots(4, sharers=INSTANCES)
    express = keeper(client, slots, 1)
    registry.report(report("instance-1"))
    registry.report(report("instance-3"))
    assert slots.reserve(Lane.SHORT, 0)
    assert slots.hold(Lane.SHORT, "one")
    assert slots.reserve(Lane.SHORT, 0)

    express.look()
    assert not slots.may_take(Lane.SHORT, 1)
    client.hset(keys.BACKLOG_LONG, "total", 1000)
    express.look()
    assert slots.may_take(Lane.SHORT, 1)


def test_a_missing_instance_is_looked_out_for(client: redis.Redis) -> None:
    """Whoever stands in for it, or leaves work to it, knows soon when it is ready."""
    registry = WorkerRegistry(client)
    keepers = [keeper(client, Slots(2), number) for number in (1, 3)]
    for number in range(1, INSTANCES):
        registry.report(report(f"instance-{number}"))
    assert [one.look() for one in keepers] == [False, False]

    registry.report(report(f"instance-{INSTANCES}"))
    assert [one.look() for one in keepers] == [True, True]


def test_hosts_that_share_a_redis(client: redis.Redis) -> None:
    """Lanes are left to whoever is ready on any host; a host looks out for its own instances only."""
    registry = WorkerRegistry(client)
    express, other = Slots(4), Slots(4, sharers=INSTANCES)
    here, there = keeper(client, express, 1, "a"), keeper(client, other, 3, "b")
    registry.report(report("instance-1@a"))
    for number in range(EXPRESS + 1, EXPRESS + 1 + INSTANCES):
        registry.report(report(f"instance-{number}@b"))

    assert not here.look(), "its host lacks some"
    assert there.look(), "its host has all"
    assert not express.serves_long
    assert other.leaves_short_s == LEFT_TO_EXPRESS_S
    assert express.reserve(Lane.SHORT, 0)
    assert express.hold(Lane.SHORT, "one")
    assert express.reserve(Lane.SHORT, 0)
    assert not express.may_take(Lane.SHORT, INSTANCES - 1), "its share is that of one of six"
    assert express.may_take(Lane.SHORT, INSTANCES + 1)
