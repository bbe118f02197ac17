"""Requests of an open loop are due when the plan says, the same for the same seed."""

from itertools import pairwise

import numpy as np
import pytest

from loadtest.load.arrivals import arrivals, rates, requests
from loadtest.plan import Plan


def plan(**values: float) -> Plan:
    """An open loop."""
    return Plan(**({"rate_per_s": 20, "duration_s": 500} | values))  # type: ignore[arg-type]


def test_even_distances() -> None:
    """One every 50 ms, from the beginning."""
    due_s = arrivals(plan(even=True, duration_s=1), 20)

    assert due_s == pytest.approx([number / 20 for number in range(20)])


def test_poisson() -> None:
    """The distances are distributed exponentially, so that mean and deviation are both 1 / rate."""
    due_s = arrivals(plan(), 20)
    gaps_s = np.diff(due_s)

    assert all(early <= late for early, late in pairwise(due_s))
    assert due_s[0] >= 0
    assert due_s[-1] < 500
    assert len(due_s) == pytest.approx(10_000, rel=0.05)
    assert gaps_s.mean() == pytest.approx(1 / 20, rel=0.05)
    assert gaps_s.std() == pytest.approx(1 / 20, rel=0.05)


def test_the_seed_decides() -> None:
    """The same seed and step give the same arrivals, others give others."""
    first = arrivals(plan(), 20)

    assert arrivals(plan(), 20) == first
    assert arrivals(plan(seed=1), 20) != first
    assert arrivals(plan(), 20, step=1) != first


def test_rates() -> None:
    """One rate, or one after the other where it is raised."""
    raised = rates(plan(raise_by=1.5, limit_p95_s=1))

    assert list(rates(plan())) == [20]
    assert [next(raised) for _ in range(3)] == [20, 30, 45]


def test_how_many_requests() -> None:
    """Those of all users, or those that arrive."""
    assert requests(Plan(concurrent_users=3, requests_per_user=4)) == 12
    assert requests(plan()) == len(arrivals(plan(), 20))
