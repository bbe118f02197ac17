"""Health and statistics as judged from what the instances report."""

from collections.abc import Iterable

import msgspec
import pytest

from actors import names
from actors.names import WorkerName
from actors.records import Capabilities, WorkerReport, WorkerState
from actors.settings import Settings
from actors.store.workers import LOST_AFTER_MS, Pool, Tries
from monitoring.health import Condition, Health, HealthReport, assess, without_details, without_hosts
from monitoring.statistics import summarize

NOW_MS = 1_000_000
ABLE = Capabilities(model="m", languages=("auto", "en"), itn=False, emotion=False, words=False)


def report(number: int, state: WorkerState = WorkerState.READY, age_ms: int = 100) -> WorkerReport:
    """What instance `number` said `age_ms` ago."""
    return WorkerReport(
        name=f"instance-{number}",
        state=state,
        host="here",
        pid=number,
        device="cpu",
        capabilities=ABLE if state is WorkerState.READY else None,
        reason="out of memory" if state is WorkerState.ERROR else None,
        rss_mb=100,
        gpu_mb=50,
        started_ms=0,
        beat_ms=NOW_MS - age_ms,
    )


CUTTER = msgspec.structs.replace(report(1), name="segmenter-1")


def expected(instances: int) -> list[WorkerName]:
    """So many instances, and a segmenter."""
    return [*names.expected(Settings(instances=instances))]


def pool(*reports: WorkerReport, busy: Iterable[str] = ()) -> Pool:
    """A pool of these instances."""
    counters = {"instance-1": Tries(succeeded=3, failed=1, audio_ms=12_000, busy_ms=2_000)}
    instances = {r.name: r for r in reports}
    segmenters = {CUTTER.name: CUTTER}
    return Pool(
        instances=instances, segmenters=segmenters, counters=counters, busy=frozenset(busy), jobs={"done": 2}
    )


def judged(*reports: WorkerReport, busy: Iterable[str] = ()) -> HealthReport:
    """The health of two expected instances."""
    return assess(pool(*reports, busy=busy), expected=expected(2), now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("second", "status", "state"),
    [
        (report(2), Health.HEALTHY, Condition.IDLE),
        (report(2, age_ms=LOST_AFTER_MS + 1), Health.DEGRADED, Condition.LOST),
        (report(2, WorkerState.LOADING), Health.DEGRADED, Condition.LOADING),
        (report(2, WorkerState.ERROR), Health.DEGRADED, Condition.ERROR),
    ],
)
def test_one_of_two(second: WorkerReport, status: Health, state: Condition) -> None:
    """One ill instance degrades the service; the details say how it is ill."""
    health = judged(report(1), second)

    assert health.status is status
    assert [detail.state for detail in health.health_details] == [Condition.IDLE, state]
    assert health.total_instances == health.healthy_instances + health.unhealthy_instances == 2


def test_details() -> None:
    """What an operator wants to know of an instance stands beside its state."""
    loading = msgspec.structs.replace(report(2, WorkerState.LOADING), reason="out of memory")

    first, second = judged(report(1), loading).health_details

    assert (first.device, first.model, first.rss_mb, first.gpu_mb) == ("cpu", "m", 100, 50)
    assert (second.state, second.reason) == (Condition.LOADING, "out of memory")


def test_none_alive() -> None:
    """Without a healthy instance the service is unhealthy, and what the model can do is unknown."""
    health = judged(report(1, WorkerState.LOADING))

    assert health.status is Health.UNHEALTHY
    assert health.health_ratio == 0
    assert health.model is None
    assert health.health_details[1].reason == "not running"


def test_two_models() -> None:
    """While instances differ the service can do what both can, whichever takes a segment."""
    better = Capabilities(model="a", languages=("yue", "en", "auto"), itn=True, emotion=True, words=True)
    second = msgspec.structs.replace(report(2), capabilities=better)

    assert judged(report(1), report(2)).model == ABLE
    assert judged(report(1), second).model == msgspec.structs.replace(ABLE, model="a and m")


def test_without_a_segmenter() -> None:
    """Nobody to cut uploads is as bad as nobody to recognise them."""
    known = msgspec.structs.replace(pool(report(1), report(2)), segmenters={})

    health = assess(known, expected=expected(2), now_ms=NOW_MS)

    assert health.status is Health.UNHEALTHY
    assert health.healthy_instances == 2
    assert [worker.state for worker in health.segmenters] == [Condition.LOST]


def test_busy_is_healthy() -> None:
    """An instance at work is healthy but not available."""
    health = judged(report(1), report(2), busy=["instance-2"])

    assert health.status is Health.HEALTHY
    assert health.health_details[1].state is Condition.BUSY


def test_statistics() -> None:
    """Counters are summed over the instances, and each state is counted once."""
    known = pool(report(1), report(2, WorkerState.ERROR), busy=["instance-1"])

    stats = summarize(known, assess(known, expected=expected(3), now_ms=NOW_MS), [], NOW_MS)

    assert stats.model_pool_stats.total_instances == 3
    assert stats.model_pool_stats.total_requests == 4
    assert stats.model_pool_stats.success_rate == 0.75
    assert stats.pool_status.status_distribution == {"idle": 0, "busy": 1, "loading": 0, "error": 2}
    assert stats.pool_status.available_instances == 0
    assert stats.jobs == {"done": 2}


def test_hosts_that_share_a_redis() -> None:
    """A host without workers expects none of its own; it judges those that it hears of."""
    api_alone = Settings(redis_url="redis://hub", parts="api,monitor,courier")
    named = [
        msgspec.structs.replace(report(1), name="instance-1@b"),
        msgspec.structs.replace(report(1, age_ms=LOST_AFTER_MS + 1), name="instance-1@a"),
    ]
    nobody = Pool(instances={}, segmenters={}, counters={}, busy=frozenset(), jobs={})

    empty = assess(nobody, expected=[*names.expected(api_alone)], now_ms=NOW_MS)
    health = assess(pool(*named), expected=(), now_ms=NOW_MS)

    assert (empty.status, empty.health_ratio, empty.total_instances) == (Health.UNHEALTHY, 0, 0)
    assert (health.status, health.total_instances) == (Health.DEGRADED, 2)
    shown = without_details(health)
    assert [one.instance for one in shown.health_details] == ["instance-1@2", "instance-1@1"]
    assert shown.segmenters[0].instance == "segmenter-1"


def test_statistics_for_everyone() -> None:
    """They call the instances as `/health` does, without a key: the page puts the two side by side."""
    known = pool(msgspec.structs.replace(report(1), name="instance-1@gpu-2", reason="on gpu-2"))
    health = assess(known, expected=(), now_ms=NOW_MS)

    stats = summarize(known, health, [], NOW_MS, shown=without_hosts(health))

    (shown,) = stats.model_pool_stats.instances
    assert shown.instance == without_details(health).health_details[0].instance == "instance-1@1"
    assert (shown.reason, shown.rss_mb) == (None, 100)


def test_those_that_have_gone_count() -> None:
    """What the instances of hosts that are no more have done is done."""
    known = msgspec.structs.replace(pool(report(1)), gone=Tries(succeeded=6))

    stats = summarize(known, assess(known, expected=(), now_ms=NOW_MS), [], NOW_MS)

    assert (stats.model_pool_stats.total_requests, stats.model_pool_stats.failed_requests) == (10, 1)


def test_statistics_say_how_each_instance_is() -> None:
    """Beside its counters: what `/health` says of it, also where nothing is known."""
    known = pool(report(1), report(2, WorkerState.ERROR), busy=["instance-1"])

    stats = summarize(known, assess(known, expected=expected(3), now_ms=NOW_MS), [], NOW_MS)

    assert [
        (one.state, one.device, one.model, one.rss_mb, one.gpu_mb, one.reason)
        for one in stats.model_pool_stats.instances
    ] == [
        (Condition.BUSY, "cpu", "m", 100, 50, None),
        (Condition.ERROR, "cpu", None, 100, 50, "out of memory"),
        (Condition.LOST, None, None, None, None, "not running"),
    ]
