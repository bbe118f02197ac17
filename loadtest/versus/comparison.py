"""Two servers beside each other: what each did in each round, and the ratios with their spread."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from loadtest.records import Hardware
from loadtest.report import Report
from loadtest.report.words import repeat

_HEADINGS: Final = (
    "users",
    "rounds",
    "requests each",
    "RTFx ours",
    "theirs",
    "ratio",
    "requests/s ours",
    "theirs",
    "p50 ours",
    "theirs",
    "p95 ours",
    "theirs",
    "ratio",
    "failed ours",
    "theirs",
    "error rate ours",
    "theirs",
)


class Side(Struct, frozen=True, kw_only=True):
    """What one server did in one round."""

    requests: int
    failed: int
    #: Audio seconds answered well per second, and such requests per second.
    rtfx: float
    requests_per_s: float
    p50_s: float
    p95_s: float
    #: Of the texts, against what was said; null where that is not known.
    error_rate: float | None


class Round(Struct, frozen=True, kw_only=True):
    """The two, one after the other, under the same load."""

    users: int
    ours: Side
    theirs: Side


class Ratio(Struct, frozen=True, kw_only=True):
    """Ours by theirs: the median of the rounds, and the least and the most of them."""

    median: float
    least: float
    most: float


class Comparison(Struct, frozen=True, kw_only=True):
    """A whole comparison."""

    ours: str
    theirs: str
    model: str
    hardware: Hardware
    #: What repeats it.
    command: str
    #: Unix milliseconds.
    began_ms: int
    rounds: tuple[Round, ...]


def side(report: Report) -> Side:
    """The figures of a run that are compared.

    Raises:
        ValueError: nothing was answered well.
    """
    figures = report.figures
    if figures.throughput is None or figures.latency is None:
        reasons = ", ".join(f"{errors.outcome}: {errors.reason}" for errors in figures.errors)
        raise ValueError(f"{report.run.service.url} answered nothing well: {reasons}")
    return Side(
        requests=figures.requests,
        failed=figures.requests - figures.ok,
        rtfx=figures.throughput.rtfx,
        requests_per_s=figures.throughput.requests_per_s,
        p50_s=figures.latency.p50_s,
        p95_s=figures.latency.p95_s,
        error_rate=figures.correctness.error_rate,
    )


def ratio(rounds: Iterable[Round], value: Callable[[Side], float]) -> Ratio:
    """Of a value of both, round by round."""
    ratios = [value(one.ours) / value(one.theirs) for one in rounds]
    return Ratio(median=statistics.median(ratios), least=min(ratios), most=max(ratios))


def markdown(comparison: Comparison) -> str:
    """A table with a line for each number of users, and what was compared, on what."""
    lines = [
        f"Ours: {comparison.ours}. Theirs: {comparison.theirs}. Weights: {comparison.model}.",
        repeat(comparison.hardware, comparison.command),
        "",
        "Values are medians of the rounds; ratios are ours by theirs, in brackets the least and the most.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        "|---:" * len(_HEADINGS) + "|",
        *_rows(comparison.rounds),
    ]
    return "\n".join(lines) + "\n"


def _rows(rounds: Sequence[Round]) -> Iterator[str]:
    for users in dict.fromkeys(one.users for one in rounds):
        those = [one for one in rounds if one.users == users]
        cells = [
            str(users),
            str(len(those)),
            str(those[0].ours.requests),
            *_both(those, lambda one: one.rtfx, "{:.1f}"),
            _spread(ratio(those, lambda one: one.rtfx)),
            *_both(those, lambda one: one.requests_per_s, "{:.2f}"),
            *_both(those, lambda one: one.p50_s, "{:.2f} s"),
            *_both(those, lambda one: one.p95_s, "{:.2f} s"),
            _spread(ratio(those, lambda one: one.p95_s)),
            str(sum(one.ours.failed for one in those)),
            str(sum(one.theirs.failed for one in those)),
            _error_rate([one.ours for one in those]),
            _error_rate([one.theirs for one in those]),
        ]
        yield f"| {' | '.join(cells)} |"


def _both(rounds: Sequence[Round], value: Callable[[Side], float], form: str) -> Iterator[str]:
    yield form.format(statistics.median(value(one.ours) for one in rounds))
    yield form.format(statistics.median(value(one.theirs) for one in rounds))


def _error_rate(sides: Sequence[Side]) -> str:
    known = [side.error_rate for side in sides if side.error_rate is not None]
    return f"{statistics.median(known):.1%}" if known else "-"


def _spread(found: Ratio) -> str:
    return f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})"
