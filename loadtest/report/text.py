"""The report for people, as aligned text."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from loadtest.report import tables
from loadtest.report.document import Report
from loadtest.report.tables import Table
from loadtest.report.words import about, heading, printable

_WIDTH: Final = 110

#: Between two columns.
_GAP: Final = "  "


def text(report: Report) -> str:
    """All of a report but its course over time."""
    parts = [
        "\n".join([heading(report.run), "", *_pairs(list(about(report.run)))]),
        *(f"{one.title}\n{aligned(one)}" for one in tables.of(report.run, report.figures)),
        "\n".join(["Advice", *_advice(report)]),
    ]
    return "\n\n".join(parts) + "\n"


def aligned(table: Table) -> str:
    """A table, its first column to the left and numbers to the right, as wide as a terminal shows it."""
    rows = [[printable(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(table.head))]
    return "\n".join(
        "  "
        + _GAP.join(
            _padded(cell, width, right=0 < at < len(row) - table.words)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _padded(cell: str, width: int, *, right: bool) -> str:
    room = " " * (width - cell_len(cell))
    return room + cell if right else cell + room


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        indent = " " * (width + 2)
        yield textwrap.fill(f"{name:<{width}}  {printable(value)}", _WIDTH, subsequent_indent=indent)


def _advice(report: Report) -> Iterator[str]:
    for piece in report.advice:
        named = f" ({', '.join(piece.settings)})" if piece.settings else ""
        said = printable(f"{piece.finding} {piece.remedy.rstrip('.')}{named}.")
        yield textwrap.fill(said, _WIDTH, initial_indent="- ", subsequent_indent="  ")
