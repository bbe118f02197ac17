"""Where a service saturates: the last rate that it bore before a limit broke."""

from collections.abc import Sequence

from loadtest.percentiles import percentile
from loadtest.plan import Plan
from loadtest.records import OK, Run, Sample, Step


def knee(run: Run) -> Step | None:
    """The last rate before one broke a limit of the plan; None where the first did, or none was tried."""
    borne = None
    for step in run.steps:
        if not step.borne:
            break
        borne = step
    return borne


def during(run: Run, step: Step) -> list[Sample]:
    """The requests that were due in a step: what an earlier one left behind is not held against it."""
    return [sample for sample in run.samples if step.began_s <= sample.due_s < step.ended_s]


def is_borne(plan: Plan, samples: Sequence[Sample], open_s: Sequence[float] = ()) -> bool:
    """Whether the requests that were due in a step kept within the limits of the plan.

    `open_s` is how long those without an answer have waited; they count as if it came now. A step of which
    nothing was answered well is not borne, whatever share of errors is allowed.
    """
    well = [sample.latency_s for sample in samples if sample.outcome == OK]
    took_s = sorted([*well, *open_s])
    count = len(samples) + len(open_s)
    if count - len(took_s) > plan.limit_errors * count:
        return False
    return percentile(took_s, 0.95) <= plan.limit_p95_s if took_s else not count
