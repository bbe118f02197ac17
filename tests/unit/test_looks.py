"""From two looks to a snapshot: what happened between them, and nothing else."""

from typing import Any

import pytest
from msgspec.structs import replace

from actors.histogram import bucket
from actors.metrics import AUDIO_S, REQUEST_S, REQUESTS, STAGE_S, Endpoint, Stage, Status
from actors.store.backlog import Backlog
from actors.store.workers import Tries
from monitoring.health import assess
from monitoring.host import Gpu, Host
from monitoring.looks import NOBODY, Look, compare
from monitoring.measures import Measures
from monitoring.snapshot import Snapshot
from tests.unit.test_health import NOW_MS, expected, pool, report

HOST = Host(
    cpu=0.5,
    monitor_cpu=0.001,
    memory_mb=2_000,
    memory_total_mb=8_000,
    disk_free_mb=9_000,
    gpus=(Gpu(index=0, utilisation=0.5, memory_mb=100, memory_total_mb=200),),
)


def taken(before: Look | None, now: Look) -> Snapshot:
    """The snapshot of a look at two expected instances."""
    health = assess(now.pool, expected=expected(2), now_ms=NOW_MS)
    return compare(before, now, health, HOST)


def counted(ok: int, failed: int, seconds: float, audio_ms: int) -> Measures:
    """So many requests to `/asr`, each of which took so long."""
    return Measures(
        {
            REQUESTS.field([Endpoint.ASR, Status.OK]): ok,
            REQUESTS.field([Endpoint.ASR, Status.FAILED]): failed,
            REQUEST_S.field([Endpoint.ASR], str(bucket(seconds))): ok + failed,
            STAGE_S.field([Stage.WAIT], str(bucket(seconds))): ok,
            AUDIO_S.field([]): audio_ms,
        }
    )


def looked(at_ms: int, measures: Measures, **tries: Any) -> Look:
    """A look at two instances, of which the first has done this."""
    known = pool(report(1), report(2))
    counters = {"instance-1": Tries(**tries)}
    return Look(at_ms=at_ms, pool=_with(known, counters), backlog=Backlog(), measures=measures)


def _with(known: Any, counters: dict[str, Tries]) -> Any:
    return type(known)(
        instances=known.instances,
        segmenters=known.segmenters,
        counters=counters,
        busy=known.busy,
        jobs=known.jobs,
        deaths=known.deaths,
    )


def test_between_two_looks() -> None:
    """Rates are per second of the interval, and percentiles of what was observed in it."""
    before = looked(NOW_MS - 10_000, counted(100, 0, 500.0, 1_000_000), busy_ms=50_000)
    after = counted(100, 0, 500.0, 1_000_000).fields
    more = counted(19, 1, 1.0, 60_000).fields
    both = Measures({field: after.get(field, 0) + more.get(field, 0) for field in after.keys() | more.keys()})

    seen = taken(before, looked(NOW_MS, both, busy_ms=54_000))

    assert (seen.interval_s, seen.requests, seen.requests_per_s) == (10.0, 20, 2.0)
    assert (seen.success_rate, seen.rtfx) == (0.95, 6.0)
    assert seen.latency_s is not None
    assert 0.8 <= seen.latency_s.p50 <= seen.latency_s.p99 <= 1.0
    assert list(seen.endpoints) == ["asr"]
    assert list(seen.stages) == ["wait"]
    assert [one.busy for one in seen.instances] == [0.4, 0.0]
    assert seen.gpus[0].utilisation == 0.5


@pytest.mark.parametrize("before", [None, looked(NOW_MS - 10_000, counted(5, 0, 1.0, 1000))])
def test_no_traffic(before: Look | None) -> None:
    """At the first look nothing is known of the time before it; without requests nothing of latency."""
    seen = taken(before, looked(NOW_MS, counted(5, 0, 1.0, 1000)))

    assert (seen.requests, seen.success_rate, seen.rtfx, seen.latency_s) == (0, 1.0, 0.0, None)
    assert (seen.endpoints, seen.stages) == ({}, {})


def test_a_long_batch() -> None:
    """It counts when it ends, and cannot make an instance busier than all the time."""
    seen = taken(looked(NOW_MS - 1_000, Measures({}), busy_ms=0), looked(NOW_MS, Measures({}), busy_ms=9_000))

    assert seen.instances[0].busy == 1.0


def test_the_oldest_job() -> None:
    """How long it has waited; 0 where none does."""
    waiting = Look(at_ms=NOW_MS, backlog=Backlog(waiting_jobs=2, oldest_ms=NOW_MS - 7_000))

    assert taken(None, waiting).queue.oldest_s == 7.0
    assert taken(None, Look(at_ms=NOW_MS)).queue.oldest_s == 0.0


def test_redis_is_away() -> None:
    """Nobody is there, and nothing has happened."""
    seen = taken(looked(NOW_MS - 10_000, counted(5, 0, 1.0, 1000), busy_ms=5_000), Look(at_ms=NOW_MS))

    assert Look(at_ms=NOW_MS).pool == NOBODY
    assert (seen.health, seen.healthy_instances, seen.requests) == ("unhealthy", 0, 0)


@pytest.mark.parametrize(
    ("before", "now", "deaths"),
    [(None, 3, 0), (3, 3, 0), (3, 5, 2), (3, None, 0)],  # None: no look, or one at a Redis that is away
)
def test_deaths(before: int | None, now: int | None, deaths: int) -> None:
    """Those since the look before; of the time before the first one, and without Redis, none are known."""

    def look(at_ms: int, died: int | None) -> Look:
        return Look(at_ms=at_ms, pool=replace(NOBODY, deaths={"instance-1": died}) if died else NOBODY)

    seen = taken(None if before is None else look(NOW_MS - 10_000, before), look(NOW_MS, now))

    assert seen.deaths == deaths
