"""When a figure of the soak has grown too much."""

import pytest

from tests.soak.drift import BOUNDED_MB, Drift, drifts


@pytest.mark.parametrize(
    ("figure", "first", "last", "too_much"),
    [
        ("api rss_mb", 1000, 1020, False),
        ("api rss_mb", 1000, 1021, True),
        ("api rss_mb", 100, 104, False),
        ("api anonymous_mb", 100, 105, True),
        ("api rss_mb", 1000, 500, False),
        ("redis descriptors", 20, 32, False),
        ("redis descriptors", 20, 33, True),
        ("redis keys of jobs", 500, 510, False),
        ("redis keys of jobs", 500, 511, True),
        ("processes", 11, 12, True),
    ],
)
def test_growth(figure: str, first: float, last: float, too_much: bool) -> None:  # noqa: FBT001 - expected
    """Two per cent, or the floor where that is more."""
    assert Drift(figure, first, last).too_much is too_much


@pytest.mark.parametrize("figure", BOUNDED_MB)
def test_what_is_bounded_may_grow_to_its_bound(figure: str) -> None:
    """And no further."""
    bound = BOUNDED_MB[figure]

    assert not Drift(figure, 1, bound).too_much
    assert Drift(figure, bound, bound + 1).too_much


def test_a_process_more_is_seen() -> None:
    """Though the first look had none of its figures."""
    (drift,) = drifts({}, {"instance-6 rss_mb": 300})

    assert drift.too_much
    assert drift.share is None
