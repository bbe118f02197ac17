"""Histograms of one shape for everything that is measured, and percentiles from them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

#: Renard's preferred numbers R10 (ISO 3): ten steps a decade, each about 1.26 times the one before.
_STEPS: Final = ("1", "1.25", "1.6", "2", "2.5", "3.15", "4", "5", "6.3", "8")

#: The upper bounds of the buckets, each included: 1 ms to 630 s. One more bucket holds what is above.
BOUNDS: Final = tuple(float(f"{step}e{decade}") for decade in range(-3, 3) for step in _STEPS)[:-1]

#: All buckets, the one above the last bound included.
BUCKETS: Final = len(BOUNDS) + 1


def bucket(value: float) -> int:
    """The number of the bucket that a value belongs in."""
    return bisect_left(BOUNDS, value)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The value below which so large a share (0 to 1) of the counted ones lies; None where there are none.

    Right to within the bucket, a quarter of the value; linear inside it, as Prometheus computes it. Above
    the last bound it is that bound.
    """
    cumulative = list(accumulate(counts))
    if not cumulative or not cumulative[-1]:
        return None
    rank = max(share * cumulative[-1], 1e-9)
    found = bisect_left(cumulative, rank)
    if found >= len(BOUNDS):
        return BOUNDS[-1]
    lower = BOUNDS[found - 1] if found else 0.0
    inside = (rank - (cumulative[found] - counts[found])) / counts[found]
    return lower + (BOUNDS[found] - lower) * inside
