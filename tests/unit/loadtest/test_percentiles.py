"""Percentiles are values that were measured, by the nearest rank."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.percentiles import durations, percentile, sure


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([15, 20, 35, 40, 50], 0.05, 15),
        ([15, 20, 35, 40, 50], 0.3, 20),
        ([15, 20, 35, 40, 50], 0.4, 20),
        ([15, 20, 35, 40, 50], 0.5, 35),
        ([15, 20, 35, 40, 50], 1, 50),
        ([7], 0.99, 7),
        ([1, 2], 0.5, 1),
        (list(range(1, 101)), 0.07, 7),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 101)), 0.99, 99),
    ],
)
def test_nearest_rank(values: list[float], share: float, found: float) -> None:
    """By hand."""
    assert percentile(values, share) == found


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_as_numpy_has_it(values: list[float], share: float) -> None:
    """NumPy's inverted CDF is the same definition."""
    assert percentile(sorted(values), share) == np.quantile(values, share, method="inverted_cdf")


def test_durations() -> None:
    """All of them together, in any order; none of none."""
    took = durations(value / 10 for value in range(200, 0, -1))

    assert took is not None
    assert (took.count, took.max_s) == (200, 20)
    assert (took.p50_s, took.p90_s, took.p95_s, took.p99_s) == (10, 18, 19, 19.8)
    assert took.mean_s == pytest.approx(10.05)
    assert durations([]) is None


def test_how_sure() -> None:
    """Of 100 values the median is between the 41st and the 60th; too few bound the 99th on one side."""
    values = list(range(1, 101))

    assert sure(values, 0.5) == (41, 60)
    assert sure(values, 0.99) == (98, math.inf)
    assert sure([1, 2], 0.5) == (-math.inf, math.inf)
