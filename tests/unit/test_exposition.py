"""What Prometheus reads is what was counted, by its own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.histogram import BOUNDS
from actors.meters import Meters
from actors.metrics import METRICS, REQUESTS, STAGE_S, Endpoint, Stage, Status
from actors.store.backlog import Backlog
from actors.store.workers import Pool
from monitoring.alerts import Book
from monitoring.exposition import Family, expose
from monitoring.gauges import gauges
from monitoring.health import assess
from monitoring.measures import Measures, together
from tests.unit.test_health import expected

EMPTY = Pool(instances={}, segmenters={}, counters={}, busy=frozenset(), jobs={"done": 2})


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted() -> Measures:
    """Two requests, and three observations of a stage."""
    meters = Meters()
    meters.add((REQUESTS.field([Endpoint.ASR, Status.OK]), 2))
    for part, amount in {"0": 1, str(len(BOUNDS)): 2, "sum": 1_500_000}.items():
        meters.add((STAGE_S.field([Stage.VAD], part), amount))
    return Measures(meters.take())


def test_counters_and_histograms() -> None:
    """Buckets add up, and what was never counted is 0, so that a rate of it has a beginning."""
    samples = read(expose(counted(), []))

    vad = ("stage", "vad")
    assert samples["asr_requests_total", frozenset({("endpoint", "asr"), ("status", "2xx")})] == 2
    assert samples["asr_requests_total", frozenset({("endpoint", "jobs"), ("status", "5xx")})] == 0
    assert samples["asr_stage_duration_seconds_bucket", frozenset({vad, ("le", "0.001")})] == 1
    assert samples["asr_stage_duration_seconds_bucket", frozenset({vad, ("le", "630")})] == 1
    assert samples["asr_stage_duration_seconds_bucket", frozenset({vad, ("le", "+Inf")})] == 3
    assert samples["asr_stage_duration_seconds_sum", frozenset({vad})] == 1.5
    assert samples["asr_stage_duration_seconds_count", frozenset({vad})] == 3


def test_gauges() -> None:
    """The workers by state, what waits, and the jobs that have ended."""
    health = assess(EMPTY, expected=expected(5), now_ms=10_000)
    backlog = Backlog(waiting_jobs=1, oldest_ms=4_000, running_jobs=2, segments_waiting=3, long_ms=4000)

    samples = read(expose(Measures({}), gauges(EMPTY, health, backlog, Book(), 10_000)))

    assert samples["asr_instances", frozenset({("state", "lost")})] == 5
    assert samples["asr_oldest_waiting_seconds", frozenset()] == 6
    assert samples["asr_segments_waiting", frozenset()] == 3
    assert samples["asr_backlog_audio_seconds", frozenset({("lane", "long")})] == 4
    assert samples["asr_jobs_total", frozenset({("state", "done")})] == 2


@pytest.mark.parametrize(("judged_ms", "up"), [(0, 0), (100_000, 0), (900_000, 1)])
def test_the_monitor(judged_ms: int, up: int) -> None:
    """Whether it looks at the service, and when it did last: never is long ago."""
    health = assess(EMPTY, expected=expected(5), now_ms=1_000_000)
    book = Book(judged_ms=judged_ms, interval_s=30)

    samples = read(expose(Measures({}), gauges(EMPTY, health, Backlog(), book, 1_000_000)))

    assert samples["asr_monitor_up", frozenset()] == up
    assert samples["asr_monitor_last_look_timestamp_seconds", frozenset()] == judged_ms / 1000


def test_labels_are_escaped() -> None:
    """A name cannot end its label."""
    odd = 'a"b\\c\nd'
    family = Family("asr_x", "gauge", "An x.", (({"name": odd}, 1.0),))

    assert read(expose(Measures({}), [family]))["asr_x", frozenset({("name", odd)})] == 1


def test_labels_are_bounded() -> None:
    """A value that is not foreseen is refused, and none of those foreseen divides a field in Redis."""
    with pytest.raises(ValueError, match="endpoint cannot be '/etc'"):
        REQUESTS.add("/etc", Status.OK)

    values = [value for metric in METRICS for label in metric.labels for value in label.values]
    assert not any(mark in value for value in values for mark in "|,")


def test_since() -> None:
    """The difference of two looks; a Redis that has forgotten counts from nothing."""
    before, after = Measures({"a||": 5, "b||": 9}), Measures({"a||": 7, "b||": 2, "c||": 1})

    assert after.since(before).fields == {"a||": 2, "b||": 2, "c||": 1}


def test_series_together() -> None:
    """Counts and sums of several series."""
    one = counted().distribution(STAGE_S, Stage.VAD)

    assert together([one, one]).count == 6
    assert together([one, one]).sum == 3.0
