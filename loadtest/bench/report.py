"""The table in Markdown."""

from collections.abc import Iterator

from loadtest.bench import profile_tables
from loadtest.bench.rows import Bench, Figure, Row, Size, figure, variant
from loadtest.report.words import repeat

_HEADINGS = ("row", "figure", "target", "here", "met", "how it was measured")

_SIZES = {
    Size.QUICK: "Sizes are tiny: it shows that everything runs, and no figure means anything.",
    Size.USUAL: "Sizes are the usual ones.",
    Size.FULL: "The long file is half an hour long.",
}


def markdown(bench: Bench) -> str:
    """A line for each figure, and what was measured, on what, and when it failed, why."""
    lines = [
        f"Quintet {bench.version}{f' ({bench.commit})' if bench.commit else ''}. {_SIZES[bench.size]}",
        repeat(bench.hardware, bench.command),
        "",
        f"| {' | '.join(_HEADINGS)} |",
        "|---|---|---:|---:|---|---|",
        *(f"| {' | '.join(cells)} |" for row in bench.rows for cells in _cells(row)),
        *(line for row in bench.rows for line in _profile(row)),
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> Iterator[list[str]]:
    """The first line of a row also has its name, and how it was measured."""
    name, how = f"`{row.name}`", f"{row.found.how} ({row.took_s:.0f} s)"
    if row.problem:
        yield [name, "", "", "failed", "", _in_a_cell(row.problem)]
    elif row.found.skipped:
        yield [name, "", "", row.found.skipped, "", ""]
    for called, value in row.found.values.items():
        known = figure(row.name, called)
        kind = variant(called)
        what = f"{known.what}, {kind}" if kind else known.what
        yield [name, what, _target(known), _number(value, known.unit), _met(known, value), _in_a_cell(how)]
        name = how = ""


def _profile(row: Row) -> Iterator[str]:
    if row.found.profile:
        yield ""
        yield from profile_tables.markdown(row.name, row.found.profile)


def _target(known: Figure) -> str:
    return "" if known.target is None else f"{known.better} {_number(known.target, known.unit)}"


def _met(known: Figure, value: float) -> str:
    return {True: "yes", False: "no", None: ""}[known.is_met(value)]


def _number(value: float, unit: str) -> str:
    """Three digits, or as many as it has before the point."""
    digits = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()


def _in_a_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
