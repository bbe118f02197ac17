"""A step is judged by the requests that were due in it, and the knee is the last good one."""

from loadtest.plan import Plan
from loadtest.records import Hardware, Run, Sample, Service, Step
from loadtest.saturation import during, holds, knee

PLAN = Plan(rate_per_s=1, duration_s=10, raise_by=2, limit_p95_s=1, limit_errors=0.1)


def sample(due_s: float, latency_s: float, outcome: str = "ok") -> Sample:
    """A request."""
    ended_s = due_s + latency_s
    return Sample(
        recording="a", audio_s=1, due_s=due_s, sent_s=due_s, ended_s=ended_s, status=200, outcome=outcome
    )


def run(*samples: Sample) -> Run:
    """Three steps of ten seconds."""
    steps = [Step(rate_per_s=2**n, began_s=10 * n, ended_s=10 * n + 10) for n in range(3)]
    return Run(
        plan=PLAN,
        service=Service(url=""),
        hardware=Hardware(cpu="", cores=1, memory_mb=1),
        began_ms=0,
        took_s=30,
        interrupted=False,
        samples=samples,
        looks=(),
        counted=None,
        steps=tuple(steps),
        runner_cpu_s=0,
    )


def test_latency() -> None:
    """Of twenty requests one may be over the limit, two may not."""
    good = [sample(1, 0.5)] * 19

    assert holds(PLAN, [*good, sample(1, 9)])
    assert not holds(PLAN, [*good[1:], sample(1, 9), sample(1, 9)])


def test_errors() -> None:
    """A tenth may fail; how long that took does not count."""
    good = [sample(1, 0.5)] * 18
    bad = sample(1, 60, "timeout")

    assert holds(PLAN, [*good, bad, bad])
    assert not holds(PLAN, [*good, bad, bad, bad])
    assert not holds(PLAN, [bad])


def test_open_requests() -> None:
    """They count by how long they have waited so far."""
    good = [sample(1, 0.5)] * 18

    assert holds(PLAN, good, [0.3, 0.9])
    assert holds(PLAN, good, [0.3, 5])
    assert not holds(PLAN, good, [1.1, 5])


def test_knee() -> None:
    """The last step before the first that broke a limit, whatever came after it."""
    assert knee(run(sample(1, 0.5), sample(11, 0.5), sample(21, 2))) == Step(
        rate_per_s=2, began_s=10, ended_s=20
    )
    recovered = knee(run(sample(1, 0.5), sample(11, 2), sample(21, 0.5)))
    assert recovered is not None
    assert recovered.rate_per_s == 1
    assert knee(run(sample(1, 2), sample(11, 0.5), sample(21, 0.5))) is None


def test_a_step_has_its_own_requests() -> None:
    """One that was due in a step belongs to it, whenever it ended."""
    late = sample(9.9, 15)

    assert during(run(late), Step(rate_per_s=1, began_s=0, ended_s=10)) == [late]
    assert during(run(late), Step(rate_per_s=2, began_s=10, ended_s=20)) == []
