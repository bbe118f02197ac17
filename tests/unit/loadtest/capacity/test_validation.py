"""The simulation beside what was measured, and the docs that show it."""

from pathlib import Path

import pytest

from loadtest.capacity import chart, measured, validation
from loadtest.capacity.validation import AIM, Check

DOCS = Path(__file__).resolve().parents[4] / "docs"


@pytest.fixture(scope="module")
def compared() -> list[Check]:
    """Every load that was recorded."""
    return list(validation.checks(measured.read()))


def test_throughput_is_near(compared: list[Check]) -> None:
    """At saturation."""
    errors = {
        (check.run.instances, figure.name): figure.error
        for check in compared
        for figure in check.figures
        if figure.name == "RTFx"
    }

    assert (5, "RTFx") in errors
    assert all(abs(error) <= AIM for error in errors.values()), errors


def test_the_docs_show_what_is_found(compared: list[Check]) -> None:
    """The table is that of the command, figures beyond the aim included."""
    assert validation.markdown(measured.read(), compared) in (DOCS / "capacity.md").read_text()


def test_the_same_load_gives_the_same(compared: list[Check]) -> None:
    """It is seeded."""
    again = list(validation.checks(measured.read()))

    assert [check.figures for check in again] == [check.figures for check in compared]


def test_the_charts_are_drawn_from_the_figures() -> None:
    """Those in the docs are what `python -m loadtest.capacity.chart` draws now."""
    drawn = chart.charts(measured.read())

    assert drawn.keys() == {"throughput.svg", "latency.svg", "scaling.svg"}
    for name, svg in drawn.items():
        assert (DOCS / "capacity" / name).read_text() == svg
