"""Instances that have grown start themselves anew, one at a time."""

import gc
import threading

import pytest
import redis

from actors import recycling
from actors.names import WorkerName
from actors.records import WorkerState
from actors.recycling import Recycler
from actors.settings import Settings
from actors.store.workers import WorkerRegistry
from tests.integration.test_express import report

LIMIT_MB = 100


@pytest.fixture
def registry(client: redis.Redis) -> WorkerRegistry:
    """Two instances, both ready."""
    known = WorkerRegistry(client)
    for name in ("instance-1", "instance-2"):
        known.report(report(name))
    return known


def recycler(registry: WorkerRegistry, name: str) -> tuple[Recycler, threading.Event]:
    """That of one of the two, and the event by which it is to end."""
    stop = threading.Event()
    return Recycler(registry, WorkerName.parse(name), LIMIT_MB, 2, 60, stop), stop


def test_one_that_has_grown(registry: WorkerRegistry) -> None:
    """It goes on up to its limit."""
    first, ends = recycler(registry, "instance-1")

    first.look(LIMIT_MB)
    assert not ends.is_set()
    first.look(LIMIT_MB + 1)
    assert ends.is_set()


def test_one_at_a_time(registry: WorkerRegistry) -> None:
    """The second one has to wait until the first is back, though it has not left yet."""
    first, _ = recycler(registry, "instance-1")
    second, ends = recycler(registry, "instance-2")
    first.look(LIMIT_MB + 1)

    second.look(LIMIT_MB + 1)
    registry.end_recycling("instance-2")
    second.look(LIMIT_MB + 1)
    assert not ends.is_set()
    registry.end_recycling("instance-1")
    second.look(LIMIT_MB + 1)
    assert ends.is_set()


def test_only_while_the_others_are_ready(registry: WorkerRegistry) -> None:
    """One that loads, for whatever reason, is waited for."""
    first, ends = recycler(registry, "instance-1")
    registry.report(report("instance-2", WorkerState.LOADING))

    first.look(LIMIT_MB + 1)
    assert not ends.is_set()
    registry.report(report("instance-2"))
    first.look(LIMIT_MB + 1)
    assert ends.is_set()


def test_hosts_that_share_a_redis(registry: WorkerRegistry) -> None:
    """One at a time of all hosts; who is away elsewhere holds nobody up."""
    for name in ("instance-1@b", "instance-2@b"):
        registry.report(report(name))
    registry.report(report("instance-2", WorkerState.LOADING))
    there, ends = recycler(registry, "instance-1@b")
    second, waits = recycler(registry, "instance-2@b")

    there.look(LIMIT_MB + 1)
    assert ends.is_set()
    registry.report(report("instance-2"))
    here, waits_too = recycler(registry, "instance-1")
    for one in (second, here):
        one.look(LIMIT_MB + 1)
    assert not waits.is_set()
    assert not waits_too.is_set()


def test_memory_is_given_back_without_a_limit(
    registry: WorkerRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an instance may grow as it likes."""
    given_back, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(recycling, "give_back", given_back.set)
    monkeypatch.setattr(recycling, "GIVE_BACK_EVERY_S", 0)
    monkeypatch.setattr(recycling, "HEARTBEAT_S", 0.01)
    try:
        recycling.watch(Settings(instance_max_mb=0), registry, WorkerName.parse("instance-1"), stop)

        assert given_back.wait(30)
        assert not stop.is_set()
    finally:
        stop.set()
        gc.unfreeze()
