"""Where a service saturates: the last rate that it bore before a limit broke."""

from collections.abc import Iterable

from loadtest.percentiles import durations
from loadtest.plan import Plan
from loadtest.records import OK, Run, Sample, Step


def knee(run: Run) -> Step | None:
    """The last rate before one broke a limit of the plan; None where the first did, or none was tried."""
    borne = None
    for step in run.steps:
        if not holds(run.plan, during(run, step)):
            break
        borne = step
    return borne


def during(run: Run, step: Step) -> list[Sample]:
    """The requests that were due in a step."""
    return [sample for sample in run.samples if step.began_s <= sample.due_s < step.ended_s]


def holds(plan: Plan, samples: Iterable[Sample]) -> bool:
    """Whether these requests, one at least, kept within the limits of the plan."""
    known = list(samples)
    took = durations(sample.latency_s for sample in known if sample.outcome == OK)
    if took is None:
        return False
    return took.p95_s <= plan.limit_p95_s and 1 - took.count / len(known) <= plan.limit_errors
