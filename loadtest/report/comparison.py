"""The difference of two runs: their key figures side by side, and their curves over each other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from actors.clock import now_ms
from loadtest.records import OK, Run
from loadtest.report import files
from loadtest.report.charts import Elapsed, by_percentile
from loadtest.report.document import Report, read
from loadtest.report.key_figures import key_figures
from loadtest.report.tables import Table
from loadtest.report.text import aligned
from loadtest.report.words import about, heading
from loadtest.series import Series, Values
from monitoring.axes import local
from monitoring.charts import Line
from monitoring.sheet import DURATIONS, lines, sheet, table

PREFIX: Final = "performance_test_difference"

_BEFORE: Final = "before"
_AFTER: Final = "after"
_COLOURS: Final = (4, 0)


class Difference(Struct, frozen=True, kw_only=True):
    """How two runs differ: as text, and the page on which they are drawn."""

    text: str
    html: Path


def difference(before: Path, after: Path, folder: Path) -> Difference:
    """Compare two reports in JSON, and write the page to a folder.

    Raises:
        BadReport: one of them cannot be read.
        OSError: the page cannot be written.
    """
    one, other = read(before), read(after)
    runs, figures = _runs(one, other), _figures(one, other)
    note = _note(figures)
    (html,) = files.write(
        folder, PREFIX, local(now_ms()), {".html": _page(one, other, [runs, figures], note).encode()}
    )
    shown = (f"{each.title}\n{aligned(each)}" for each in (runs, figures))
    return Difference(text="\n\n".join([*shown, note]) + "\n", html=html)


def _figures(one: Report, other: Report) -> Table:
    pairs = zip(key_figures(one.run, one.figures), key_figures(other.run, other.figures), strict=True)
    rows = [
        (old.name, old.written, new.written, _ratio(old.value, new.value), new.against(old))
        for old, new in pairs
        if old.value is not None or new.value is not None
    ]
    head = ("", _BEFORE, _AFTER, "ratio", "")
    return Table(title="Key figures", head=head, rows=rows, words=1)


def _ratio(old: float | None, new: float | None) -> str:
    return f"{new / old:.3g}" if old and new is not None else "-"


def _note(figures: Table) -> str:
    marks = [row[-1] for row in figures.rows]
    counts = ", ".join(f"{marks.count(mark)} {mark}" for mark in ("better", "worse", "within noise"))
    return f"{counts}: the 95 % intervals overlap or, where there are none, 5 % is not exceeded."


def _runs(one: Report, other: Report) -> Table:
    """Which they are, and all that was not the same: the machine, the service, values of the plan."""
    old, new = _circumstances(one.run), _circumstances(other.run)
    changed = [(name, value, new[name]) for name, value in old.items() if new[name] != value]
    rows = [("run", heading(one.run), heading(other.run)), *changed]
    return Table(title="The two runs, and what differs", head=("", _BEFORE, _AFTER), rows=rows, words=2)


def _circumstances(run: Run) -> dict[str, str]:
    said = {name: value for name, value in about(run) if name != "load"}
    return said | {name: str(value) for name, value in msgspec.to_builtins(run.plan).items()}


def _page(one: Report, other: Report, shown: list[Table], note: str) -> str:
    parts = [
        *(table(each.title, each.head, each.rows) for each in shown),
        by_percentile({_BEFORE: _latencies(one.run), _AFTER: _latencies(other.run)}, _COLOURS),
        *_courses(one.figures.series, other.figures.series),
    ]
    return sheet("Quintet: two load tests", "Two load tests", note, "", parts)


def _latencies(run: Run) -> list[float]:
    return sorted(sample.latency_s for sample in run.samples if sample.outcome == OK)


def _courses(one: Series, other: Series) -> Iterator[str]:
    end_s = max(each.width_s * len(each.requests_per_s) for each in (one, other))
    width_s = max(one.width_s, other.width_s)
    over = Elapsed(width_s, max(1, round(end_s / width_s)))

    def drawn(old: Values, new: Values) -> list[Line]:
        return [
            Line(name, _sampled(values, series.width_s, over), colour, bridged=True)
            for name, values, series, colour in (
                (_BEFORE, old, one, _COLOURS[0]),
                (_AFTER, new, other, _COLOURS[1]),
            )
        ]

    yield lines("Latency p95 over time", over, drawn(one.latency_p95_s, other.latency_p95_s), DURATIONS)
    yield lines("Answered well per second", over, drawn(one.requests_per_s, other.requests_per_s))
    yield lines("Jobs waiting", over, drawn(one.waiting_jobs, other.waiting_jobs))


def _sampled(values: Values, width_s: float, over: Elapsed) -> list[float | None]:
    """The values at the middle of each column of another width."""
    places = (int((column + 0.5) * over.width_s / width_s) for column in range(over.count))
    return [values[place] if place < len(values) else None for place in places]
