"""Axes have round marks, and hold all that is to be drawn on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.axes import duration, even, local, powers, times

VALUES = st.lists(st.floats(1e-4, 1e9), min_size=1, max_size=20)


@given(VALUES)
def test_even(values: list[float]) -> None:
    """From 0, in two to six marks, no further than needed."""
    scale = even(values)

    assert scale.marks[0] == 0
    assert 2 <= len(scale.marks) <= 7
    assert max(values) <= scale.marks[-1] * 1.001
    assert all(0 <= scale.share(value) <= 1 for value in values)


@given(VALUES)
def test_powers(values: list[float]) -> None:
    """Powers of ten around all values."""
    scale = powers(values)

    assert scale.marks[0] <= min(values) * 1.001
    assert max(values) <= scale.marks[-1] * 1.001
    assert scale.share(scale.marks[0]) == 0
    assert scale.share(scale.marks[-1]) == 1


def test_few_powers() -> None:
    """Values that are close together are not pressed into a part of the axis."""
    assert powers([0.3, 4]).marks == (0.2, 0.5, 1, 2, 5)
    assert powers([0.2]).marks == (0.2, 0.5)
    assert powers([0.01, 0.1, 900]).marks == (0.01, 0.1, 1, 10, 100, 1000)


def test_no_values() -> None:
    """There is an axis all the same."""
    assert even([]).marks[-1] == 1
    assert powers([]).marks == (1, 2)


@pytest.mark.parametrize("hours", [0.01, 0.5, 3, 24, 24 * 30])
def test_times(hours: float) -> None:
    """Within the period, evenly, and no more than asked for."""
    start_ms, end_ms = 1_795_428_095_124.0, 1_795_428_095_124.0 + hours * 3_600_000

    found = times(start_ms, end_ms, 8)

    assert len(found) <= 9
    assert all(start_ms <= at_ms <= end_ms for at_ms, _ in found)
    assert all(local(at_ms).second == 0 for at_ms, _ in found)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0125, "12.5 ms"),
        (1.5, "1.5 s"),
        (10.0, "10 s"),
        (1800.0, "30 min"),
        (0.1, "100 ms"),
        (0.9999, "1 s"),
        (599.9, "10 min"),
        (86_400.0, "24 h"),
    ],
)
def test_durations(seconds: float, written: str) -> None:
    """As people write them."""
    assert duration(seconds) == written
