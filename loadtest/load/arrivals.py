"""When the requests of an open loop are due."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from loadtest.plan import MOST_PER_S, Plan


def rates(plan: Plan) -> Iterator[float]:
    """The rates to try in turn, in requests a second; where the rate is raised, to `MOST_PER_S`."""
    rate_per_s = plan.rate_per_s
    yield rate_per_s
    while plan.raise_by and rate_per_s < MOST_PER_S:
        rate_per_s = min(rate_per_s * plan.raise_by, MOST_PER_S)
        yield rate_per_s


def arrivals(plan: Plan, rate_per_s: float, step: int = 0) -> Sequence[float]:
    """When requests are due during the plan's duration, in seconds after its beginning, ascending.

    The same for the same seed and step. Those of a Poisson process are, given their number, uniform in time
    (Kingman, "Poisson Processes", 2.4), which is how they are drawn.
    """
    expected = rate_per_s * plan.duration_s
    if plan.even:
        return [number / rate_per_s for number in range(round(expected))]
    chance = np.random.default_rng([plan.seed, step])
    due_s: list[float] = np.sort(chance.uniform(0, plan.duration_s, chance.poisson(expected))).tolist()
    return due_s


@functools.cache
def requests(plan: Plan) -> int:
    """How many requests a plan asks for, unless it raises the rate."""
    return (
        len(arrivals(plan, plan.rate_per_s))
        if plan.is_open
        else plan.concurrent_users * plan.requests_per_user
    )
