"""What two servers did becomes ratios with their spread."""

import pytest

from loadtest.figures import figures
from loadtest.records import Hardware
from loadtest.report import Report
from loadtest.versus.comparison import Comparison, Ratio, Round, Side, markdown, ratio, side
from loadtest.versus.measuring import in_turn
from tests.doubles import runs

FAST = Side(requests=20, failed=0, rtfx=40.0, requests_per_s=4.0, p50_s=0.5, p95_s=1.0, error_rate=0.1)
SLOW = Side(requests=20, failed=1, rtfx=10.0, requests_per_s=1.0, p50_s=2.0, p95_s=8.0, error_rate=None)
MEDIUM = Side(requests=20, failed=0, rtfx=20.0, requests_per_s=2.0, p50_s=1.0, p95_s=2.0, error_rate=0.3)


def test_ratios_are_of_rounds() -> None:
    """Each round's two are divided by each other, and nothing across rounds."""
    rounds = [
        Round(users=1, ours=FAST, theirs=SLOW),
        Round(users=1, ours=SLOW, theirs=MEDIUM),
        Round(users=1, ours=FAST, theirs=MEDIUM),
    ]

    assert ratio(rounds, lambda one: one.rtfx) == Ratio(median=2.0, least=0.5, most=4.0)
    assert ratio(rounds, lambda one: one.p95_s) == Ratio(median=0.5, least=0.125, most=4.0)


def test_in_turn() -> None:
    """Each is second in turn, and its figures stay its own."""
    asked, latency_s = list[str](), {"ours": 0.5, "theirs": 2.0}

    def load(url: str) -> Report:
        asked.append(url)
        run = runs.run([runs.sample(number, latency_s[url]) for number in range(9)])
        return Report(run=run, figures=figures(run), advice=())

    found = list(in_turn("ours", "theirs", 3, load))

    assert asked == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert [(one.ours.p50_s, one.theirs.p50_s) for one in found] == [(0.5, 2.0)] * 3


def test_the_table() -> None:
    """A line for each number of users, with as many cells as there are headings; failures are added up."""
    comparison = Comparison(
        ours="Quintet 1",
        theirs="another 2",
        model="weights",
        hardware=Hardware(cpu="a processor", cores=2, memory_mb=4096),
        command="./justw compare",
        began_ms=0,
        rounds=tuple(Round(users=users, ours=FAST, theirs=SLOW) for users in (1, 1, 10, 10)),
    )

    *said, headings, _, first, second = markdown(comparison).splitlines()

    assert "2 cores of a processor, 4 GiB" in "\n".join(said)
    assert "`./justw compare`" in "\n".join(said)
    assert first.count("|") == second.count("|") == headings.count("|")
    cells = [cell.strip() for cell in first.strip("|").split("|")]
    assert cells[:6] == ["1", "2", "20", "40.0", "10.0", "4.00 (4.00 to 4.00)"]
    assert cells[-5:] == ["0.12 (0.12 to 0.12)", "0", "2", "10.0%", "-"]
    assert second.startswith("| 10 |")


def test_what_is_compared_of_a_run() -> None:
    """The figures of its report, those that failed among them; where nothing was answered, it says why."""
    good = [runs.sample(number, 0.5) for number in range(9)]
    run = runs.run([*good, runs.refused(9)])
    found = side(Report(run=run, figures=figures(run), advice=()))

    assert (found.requests, found.failed, found.p50_s, found.p95_s) == (10, 1, 0.5, 0.5)
    assert found.rtfx == pytest.approx(45 / 9.01)

    run = runs.run([runs.refused(0, "go away")])
    with pytest.raises(ValueError, match="answered nothing well: 429: go away"):
        side(Report(run=run, figures=figures(run), advice=()))
