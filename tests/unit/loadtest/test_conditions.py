"""Conditions say what they found; what is not known does not pass."""

import pytest

from loadtest.conditions import QUANTITIES, broken, parse
from loadtest.figures import figures
from loadtest.plan import BadPlan
from tests.doubles.runs import look, refused, run, sample

FIGURES = figures(run([*(sample(at, 2.5) for at in range(99)), refused(99)], [look(0, health_s=0.06)]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p95>2s", "p95 is 2.5 s, above 2 s"),
        ("p95>2500ms", None),
        ("p95 >= 2500ms", "p95 is 2.5 s, at least 2.5 s"),
        ("p95>0.01min", "p95 is 2.5 s, above 0.6 s"),
        ("errors>0", "errors is 1, above 0"),
        ("errors>1", None),
        ("success<99%", None),
        ("success<=99%", "success is 99 %, at most 99 %"),
        ("success<99.5%", "success is 99 %, below 99.5 %"),
        ("rtfx<10", "rtfx is 4.92537, below 10"),
        ("health_p99>50ms", "health_p99 is 0.06 s, above 0.05 s"),
        ("first_p50>1s", "first_p50 is not known, and must not be above 1 s"),
        ("knee<3", "knee is not known, and must not be below 3"),
        ("late_p99>1s", "late_p99 is not known, and must not be above 1 s"),
    ],
)
def test_one(text: str, said: str | None) -> None:
    """Broken, with the figure, or kept."""
    assert broken(parse(text), FIGURES) == ([said] if said else [])


def test_some() -> None:
    """Each that is broken, in their order."""
    assert len(broken(parse("errors>0, p95>9s ,p50>1s"), FIGURES)) == 2


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("p96>2s", "there is no figure 'p96'; there are requests, errors, success"),
        ("p95>2", "p95 is given in ms or s or min"),
        ("errors>1%", "errors is a number, without a unit"),
        ("success<0.99", "success is given in %"),
        ("p95=2s", "'p95=2s' is no condition such as p95>2s"),
        ("", "is no condition"),
        ("p95>2s,", "is no condition"),
        ("p95>-1s", "is no condition"),
    ],
)
def test_no_condition(text: str, hint: str) -> None:
    """The message says what may stand there."""
    with pytest.raises(BadPlan) as failure:
        parse(text)

    assert hint in str(failure.value)


def test_every_quantity() -> None:
    """Each can be asked of any run, and of an empty one breaks or is nought."""
    for name, quantity in QUANTITIES.items():
        unit = {"s": "s", "%": "%"}.get(quantity.unit, "")

        assert broken(parse(f"{name}>=0{unit}"), figures(run())) != []
