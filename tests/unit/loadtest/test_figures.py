"""The figures of runs whose truth is known."""

import pytest
from msgspec.structs import replace

from loadtest.figures import figures
from loadtest.plan import Endpoint, Plan
from loadtest.records import GpuUsage, Usage
from tests.doubles.runs import (
    INSTANCES,
    OPEN,
    counted,
    counts,
    hurt,
    look,
    refused,
    run,
    sample,
    saturated,
)

#: What a service that does not answer has not said.
UNSAID = ("healthy_instances", "waiting_jobs", "running_jobs", "segments_waiting", "oldest_s")


def test_a_stall_shows_in_open_loop() -> None:
    """A service that answers at once, but stalls for 1 s at 100/s: what was due meanwhile has waited."""
    served = [sample(at / 100, 0.001) for at in range(900)]
    stalled = [sample(9 + at / 100, 0.001, late_s=1 - at / 100) for at in range(100)]
    found = figures(run([*served, *stalled], plan=OPEN))

    assert found.latency is not None
    assert found.service is not None
    assert found.runner.late is not None
    assert found.service.p99_s == pytest.approx(0.001)
    assert found.latency.p99_s == pytest.approx(0.901)
    assert found.latency.max_s == pytest.approx(1.001)
    assert found.runner.late.p99_s == pytest.approx(0.9)


def test_throughput() -> None:
    """From the first sent to the last ended; only what was answered well is done."""
    found = figures(run([sample(2, 1), sample(4, 1, audio_s=7.0), refused(11.99)]))

    assert found.throughput is not None
    assert found.throughput.took_s == pytest.approx(10)
    assert found.throughput.sent_per_s == pytest.approx(0.3)
    assert found.throughput.requests_per_s == pytest.approx(0.2)
    assert found.throughput.rtfx == pytest.approx(1.2)
    assert (found.requests, found.ok) == (3, 2)
    assert found.success == pytest.approx(2 / 3)


def test_errors() -> None:
    """By class, the most frequent first, each with its most frequent reason."""
    late = sample(3, 60, status=0, outcome="timeout")
    found = figures(run([refused(1, "b"), refused(2, "a"), refused(3, "a"), late, sample(0, 1)]))

    assert [(one.outcome, one.count, one.reason) for one in found.errors] == [
        ("429", 3, "a"),
        ("timeout", 1, ""),
    ]
    assert [one.share for one in found.errors] == [0.6, 0.2]
    assert found.errors[0].first_s == pytest.approx(1.01)
    assert found.latency is not None
    assert found.latency.max_s == 1
    assert found.failed is not None
    assert found.failed.count == 4


def test_first_segment() -> None:
    """From when the request was due, of those that were streamed."""
    found = figures(run([sample(1, 5, late_s=1, first_segment_s=2.5), sample(2, 5)], plan=OPEN))

    assert found.first_segment is not None
    assert (found.first_segment.count, found.first_segment.max_s) == (1, 1.5)


def test_stages() -> None:
    """From the service's own histograms; stages that nothing went through are none."""
    stages = {"queue": counts(*[0.1] * 99, 5.0), "vad": counts()}
    found = figures(run([sample(0, 1)], counted=counted(1, 5.0, 1.0, **stages)))

    assert set(found.stages) == {"queue"}
    assert found.stages["queue"].count == 100
    assert found.stages["queue"].p50_s == pytest.approx(0.1, rel=0.25)
    assert found.stages["queue"].p99_s < 1


def test_correctness() -> None:
    """Answers that are errors because of their text count, too; the worst recording comes first."""
    found = figures(
        run(
            [
                sample(0, 1, recording="a", exact=True, error_rate=0.0),
                sample(1, 1, recording="b", exact=True, error_rate=0.5),
                sample(2, 1, recording="c", exact=False, error_rate=0.1, outcome="wrong text"),
                sample(3, 1, recording="d"),
            ]
        )
    ).correctness

    assert (found.compared, found.referenced) == (3, 3)
    assert found.exact == pytest.approx(2 / 3)
    assert found.error_rate == pytest.approx(0.2)
    assert [one.name for one in found.worst] == ["c", "b"]


def test_watched() -> None:
    """Means and the most; time that it was not healthy is from a look to the next one."""
    looks = [
        look(0, cpu=0.5, waiting_jobs=1),
        look(1, cpu=1.0, waiting_jobs=5, busy=dict.fromkeys(INSTANCES, True)),
        look(3, health="degraded", healthy_instances=4, health_s=0.5, oldest_s=3.0),
        look(5, health_s=None, health="away", busy={}, processes={}, **dict.fromkeys(UNSAID)),
        look(6, gpus=(GpuUsage(index=1, utilisation=None, memory_mb=900.0),)),
    ]
    found = figures(run([sample(0, 1)], looks, took_s=7.0)).watched

    assert found is not None
    assert found.cpu.mean == pytest.approx(0.42)
    assert found.cpu.max == 1
    assert found.waiting_jobs is not None
    assert (found.waiting_jobs.max, found.waiting_jobs.mean) == (5, 1.5)
    assert found.busy is not None
    assert found.busy.mean == pytest.approx(0.25)
    assert found.health.unhealthy_s == 3
    assert (found.health.unanswered, found.health.fewest_instances, found.health.most_instances) == (1, 4, 5)
    assert found.health.latency is not None
    assert found.health.latency.max_s == 0.5
    assert found.processes["instance-1"].cpu_cores.mean == pytest.approx(0.05)
    assert found.cores("instance") == pytest.approx(0.25)
    assert found.rss_mb == 8 * 300
    assert found.gpus["GPU 1"].utilisation is None
    assert found.gpus["GPU 1"].memory_max_mb == 900


def test_memory_that_grows() -> None:
    """From the second quarter to the last: what is loaded at first is no leak."""
    memory = [100, 100, 500, 500, 500, 500, 600, 620]
    looks = [look(at, processes={"api": Usage(cpu_cores=0, rss_mb=mb)}) for at, mb in enumerate(memory)]
    found = figures(run(looks=looks)).watched

    assert found is not None
    assert found.processes["api"].rss_grown_mb == 110


def test_agreement() -> None:
    """What the runner gave up the service has counted; audio is compared where pauses are recognised, too."""
    timeout = sample(1, 60, status=0, outcome="timeout")
    unheard = sample(1, 0, status=0, outcome="connection")
    samples = [sample(0, 1), timeout, unheard]

    cut = figures(run(samples, counted=counted(2, 4.0))).agreement
    whole = figures(run(samples, counted=counted(4, 4.0), plan=Plan(endpoint=Endpoint.ASR_SIMPLE))).agreement

    assert cut is not None
    assert (cut.requests, cut.requests_difference, cut.audio_difference) == (2, 0, None)
    assert whole is not None
    assert whole.requests_difference == 0.5
    assert whole.audio_difference == pytest.approx(0.2)


def test_mean_latency() -> None:
    """Of the requests that were answered, as the service measures no others."""
    given_up = [sample(1, 60, status=0, outcome="timeout"), sample(2, 30, status=504, outcome="504")]
    counts = replace(counted(1, 5.0, 0.75), requests={"2xx": 1, "4xx": 1, "5xx": 1})
    found = figures(run([sample(0, 1), *given_up], counted=counts)).agreement

    assert found is not None
    assert found.requests_difference == 0
    assert (found.mean_s, found.service_mean_s, found.mean_difference) == (1, 0.75, 0.25)


def test_the_latency_of_jobs_is_not_the_request_s() -> None:
    """The service has answered before they are done; and where nobody was heard, there is none."""
    jobs = figures(run([sample(0, 1)], counted=counted(1, 5.0), plan=Plan(endpoint=Endpoint.JOBS))).agreement
    nobody = figures(run([], counted=counted(0, 0))).agreement

    assert jobs is not None
    assert nobody is not None
    assert jobs.mean_difference is nobody.mean_difference is None


def test_course() -> None:
    """A killed instance is missing while it is away; errors and throughput are where they ended."""
    found = figures(hurt()).series
    at = [int(second / found.width_s) for second in (30, 60, 90)]

    assert len(found.requests_per_s) == 120
    assert [found.busy["instance-3"][one] is None for one in at] == [False, True, False]
    assert [found.health[one] for one in at] == ["healthy", "degraded", "healthy"]
    assert sum(found.errors["429"]) == sum(
        found.errors["429"][int(49 / found.width_s) : int(71 / found.width_s)]
    )
    assert sum(found.requests_per_s) * found.width_s == pytest.approx(figures(hurt()).ok)


def test_rates() -> None:
    """Each has its own figures; the knee is the last that kept within the limits."""
    found = figures(saturated())

    assert [step.requests for step in found.steps] == [20, 40, 80]
    assert [step.borne for step in found.steps] == [True, True, False]
    assert found.knee_per_s == 2
    assert found.steps[2].latency is not None
    assert found.steps[2].latency.p95_s == pytest.approx(8.0)


def test_no_knee() -> None:
    """Where the first rate already breaks a limit, or no rate was raised."""
    broken = tuple(replace(step, borne=False) for step in saturated().steps)

    assert figures(replace(saturated(), steps=broken)).knee_per_s is None
    assert figures(run([sample(0, 1)])).knee_per_s is None


def test_nothing() -> None:
    """An empty run has figures, all of them unknown."""
    found = figures(run())

    assert (found.requests, found.success, found.latency, found.throughput, found.watched) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert found.series.requests_per_s == (0.0,)
