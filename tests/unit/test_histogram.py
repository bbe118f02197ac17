"""Percentiles from buckets are as good as the buckets are narrow."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.histogram import BOUNDS, BUCKETS, bucket, percentile

SHARES = (0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0)


def counted(values: list[float]) -> list[int]:
    """The buckets of these values."""
    counts = [0] * BUCKETS
    for value in values:
        counts[bucket(value)] += 1
    return counts


def test_the_buckets() -> None:
    """From 1 ms to over 600 s, each at most 1.28 times as wide as the one before."""
    ratios = [upper / lower for lower, upper in pairwise(BOUNDS)]

    assert BOUNDS[0] == 0.001
    assert 600 <= BOUNDS[-1] <= 640
    assert all(1.24 < ratio < 1.285 for ratio in ratios)
    assert {1.0, 2.0, 4.0, 8.0} <= set(BOUNDS)


@given(st.floats(0, 1000))
def test_a_value_is_in_its_bucket(value: float) -> None:
    """Above the bound before, and not above its own."""
    number = bucket(value)

    assert number == 0 or value > BOUNDS[number - 1]
    assert number == len(BOUNDS) or value <= BOUNDS[number]


@given(st.lists(st.floats(0, 600), min_size=1, max_size=300), st.sampled_from(SHARES))
def test_percentiles_against_numpy(values: list[float], share: float) -> None:
    """The estimate lies in the bucket of NumPy's exact one."""
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    number = bucket(exact)

    estimate = percentile(counted(values), share)

    assert estimate is not None
    assert (BOUNDS[number - 1] if number else 0.0) <= estimate <= BOUNDS[number]


def test_nothing_was_counted() -> None:
    """There is no percentile, not a percentile of 0."""
    assert percentile([0] * BUCKETS, 0.5) is None


def test_above_the_last_bound() -> None:
    """What is longer than all buckets is told as the longest."""
    assert percentile(counted([5000.0]), 0.5) == BOUNDS[-1]


@pytest.mark.parametrize("share", SHARES)
def test_percentiles_grow(share: float) -> None:
    """More at the top never lowers one."""
    few, more = counted([1.0] * 50 + [20.0] * 50), counted([1.0] * 50 + [20.0] * 500)

    assert (percentile(few, share) or 0) <= (percentile(more, share) or 0)
