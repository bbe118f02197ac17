"""A step is judged by the requests that were due in it, and the knee is the last good one."""

from msgspec.structs import replace

from loadtest.plan import Plan
from loadtest.records import Hardware, Run, Sample, Service, Step
from loadtest.saturation import during, is_borne, knee

PLAN = Plan(rate_per_s=1, duration_s=10, raise_by=2, limit_p95_s=1, limit_errors=0.1)


def sample(due_s: float, latency_s: float, outcome: str = "ok") -> Sample:
    """A request."""
    ended_s = due_s + latency_s
    return Sample(
        recording="a", audio_s=1, due_s=due_s, sent_s=due_s, ended_s=ended_s, status=200, outcome=outcome
    )


def step(number: int, *, borne: bool) -> Step:
    """One of ten seconds."""
    began_s = 10 * number
    return Step(rate_per_s=2**number, began_s=began_s, ended_s=began_s + 10, borne=borne)


def run(*borne: bool, samples: tuple[Sample, ...] = ()) -> Run:
    """A step for each verdict."""
    steps = [step(number, borne=each) for number, each in enumerate(borne)]
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

    assert is_borne(PLAN, [*good, sample(1, 9)])
    assert not is_borne(PLAN, [*good[1:], sample(1, 9), sample(1, 9)])


def test_errors() -> None:
    """A tenth may fail; how long that took does not count."""
    good = [sample(1, 0.5)] * 18
    bad = sample(1, 60, "timeout")

    assert is_borne(PLAN, [*good, bad, bad])
    assert not is_borne(PLAN, [*good, bad, bad, bad])
    assert not is_borne(PLAN, [bad])


def test_open_requests() -> None:
    """They count by how long they have waited so far."""
    good = [sample(1, 0.5)] * 18

    assert is_borne(PLAN, good, [0.3, 0.9])
    assert is_borne(PLAN, good, [0.3, 5])
    assert not is_borne(PLAN, good, [1.1, 5])


def test_nothing_answered() -> None:
    """A service that answers nothing bears nothing, whatever share of errors is allowed."""
    plan = replace(PLAN, limit_errors=1)

    assert not is_borne(plan, [sample(1, 0.1, "connection")])
    assert is_borne(plan, [sample(1, 0.1, "connection"), sample(1, 0.1)])
    assert is_borne(plan, [])


def test_knee() -> None:
    """The last step before the first that broke a limit, whatever came after it."""
    assert knee(run(True, True, False)) == step(1, borne=True)
    assert knee(run(True, False, True)) == step(0, borne=True)
    assert knee(run(False, True, True)) is None
    assert knee(run()) is None


def test_a_verdict_is_not_drawn_again() -> None:
    """What was open when the limit broke may have been given up since; the survivors look fast."""
    assert knee(run(True, False, samples=(sample(1, 0.1), sample(11, 0.1)))) == step(0, borne=True)


def test_a_step_has_its_own_requests() -> None:
    """One that was due in a step belongs to it, whenever it ended."""
    late = sample(9.9, 15)

    assert during(run(samples=(late,)), step(0, borne=True)) == [late]
    assert during(run(samples=(late,)), step(1, borne=True)) == []
