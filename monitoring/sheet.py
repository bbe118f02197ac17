"""The frame of a report: tiles, charts and tables as one page of HTML that needs nothing else."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from msgspec import Struct

from monitoring.axes import duration, even, powers
from monitoring.charts import Across, Chart, Line, Row

_STYLE: Final = Path(__file__).with_suffix(".css")

#: Widths in units of the drawing; a wide chart spans both columns of the page.
_NARROW: Final = 600
_WIDE: Final = 1216


class Axis(Struct, frozen=True):
    """How the values of a chart are written, how far they go at least, and whether by powers of ten."""

    write: Callable[[float], str]
    least: float = 1.0
    powers: bool = False


NUMBERS: Final = Axis("{:,.4g}".format)
DURATIONS: Final = Axis(duration, powers=True)
SHARES: Final = Axis(lambda share: f"{share * 100:.3g} %")


class Tile(Struct, frozen=True):
    """A figure that everybody looks for first."""

    name: str
    value: str
    bad: bool = False


def sheet(title: str, heading: str, about: str, top: str, parts: Iterable[str]) -> str:
    """The page: its heading, what stands above all parts, and the parts in two columns."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style()}</style></head>"
        f"<body><header><h1>{escape(heading)}</h1><p>{escape(about)}</p></header>"
        f"{top}<main>{''.join(parts)}</main></body></html>\n"
    )


def style() -> str:
    """The colours of charts, also for one that stands by itself."""
    return _STYLE.read_text(encoding="utf-8")


def tiles(shown: Iterable[Tile]) -> str:
    """Figures side by side."""
    parts = (
        f'<div class="tile{" bad" if one.bad else ""}"><b>{escape(one.value)}</b>'
        f"<span>{escape(one.name)}</span></div>"
        for one in shown
    )
    return f'<div class="tiles">{"".join(parts)}</div>'


def lines(title: str, across: Across, drawn: Sequence[Line], axis: Axis = NUMBERS) -> str:
    """A chart of lines, whose scale holds all their values."""
    known = [value for line in drawn for value in line.values if value is not None]
    scale = powers(known) if axis.powers else even(known, axis.least)
    legend = [(f"c{line.colour}", line.name) for line in drawn] if len(drawn) > 1 else []
    return _figure(title, Chart(title, across, _NARROW).lines(drawn, scale, axis.write), legend)


def strips(title: str, across: Across, rows: Sequence[Row], legend: Sequence[tuple[str, str]]) -> str:
    """Strips of coloured cells over the whole width, and what their classes mean."""
    return _figure(title, Chart(title, across, _WIDE).strips(rows), legend, wide=True)


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table over the whole width."""
    shown = "".join(_row("td", row) for row in rows)
    return section(title, f"<table>{_row('th', head)}{shown}</table>")


def section(title: str, content: str) -> str:
    """HTML under a heading, over the whole width."""
    return f'<section class="wide"><h2>{escape(title)}</h2>{content}</section>'


def _row(kind: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _figure(title: str, svg: str, legend: Sequence[tuple[str, str]], *, wide: bool = False) -> str:
    keys = "".join(f'<span><i class="{kind}"></i>{escape(name)}</span>' for kind, name in legend)
    return (
        f"<figure{' class=wide' if wide else ''}><figcaption><h2>{escape(title)}</h2>"
        f'<div class="legend">{keys}</div></figcaption>{svg}</figure>'
    )
