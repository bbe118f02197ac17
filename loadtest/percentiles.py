"""Percentiles of what a run measured, and how sure they are."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

#: The normal deviate of a confidence of 95 %.
DEVIATE: Final = 1.96


class Durations(Struct, frozen=True, kw_only=True):
    """How long something took, in seconds."""

    count: int
    mean_s: float
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    max_s: float


def durations(values: Iterable[float]) -> Durations | None:
    """The percentiles of some durations in seconds; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Durations(
        count=len(ordered),
        mean_s=math.fsum(ordered) / len(ordered),
        p50_s=percentile(ordered, 0.5),
        p90_s=percentile(ordered, 0.9),
        p95_s=percentile(ordered, 0.95),
        p99_s=percentile(ordered, 0.99),
        max_s=ordered[-1],
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the ordered values, at least one, that so large a share (0 to 1) does not exceed.

    The nearest rank: definition 1 of Hyndman and Fan, "Sample quantiles in statistical packages" (1996).
    It is always a value that was measured.
    """
    return ordered[max(_rank(share * len(ordered)), 1) - 1]


def sure(ordered: Sequence[float], share: float) -> tuple[float, float]:
    """Between which two values the percentile of all that might have been measured lies, by 95 %.

    By order statistics, whatever the distribution: Conover, "Practical Nonparametric Statistics", 3.2. Too
    few values bound it on one side only, or on none.
    """
    count = len(ordered)
    middle, reach = share * count, DEVIATE * math.sqrt(count * share * (1 - share))
    first, last = _rank(middle - reach), _rank(middle + reach)
    return (
        ordered[first - 1] if first >= 1 else -math.inf,
        ordered[last - 1] if last <= count else math.inf,
    )


def _rank(place: float) -> int:
    return math.ceil(place - 1e-9)  # 0.07 * 100 is a little more than 7
