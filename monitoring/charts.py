"""Charts as inline SVG: lines, and strips of coloured cells. Colours come from the page's style."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import Final, Protocol

from msgspec import Struct

from monitoring.axes import Scale

#: Room around what is drawn; the names of strips need more on the left than numbers do, and more yet where
#: they are long, as those of hosts may be.
_TOP: Final = 8
_RIGHT: Final = 10
_BOTTOM: Final = 22
_LEFT: Final = 58
_LEFT_OF_STRIPS: Final = 118
_CHARACTER: Final = 6.5
_LONGEST_NAME: Final = 48

#: Of a chart of lines, and of a row of a strip.
_HEIGHT: Final = 190
_ROW: Final = 20

#: What is written below is this far apart at least.
_MARK_WIDTH: Final = 64


class Across(Protocol):
    """What runs across a chart, from left to right, in columns of equal width: time, most often."""

    @property
    def count(self) -> int:
        """How many columns there are."""
        ...

    def marks(self, most: int) -> Iterable[tuple[float, str]]:
        """What is written below, at most so many, and how many columns from the left."""
        ...

    def said(self, column: int) -> str:
        """What a column is called when it is pointed at."""
        ...


class Line(Struct, frozen=True):
    """A value for each column, where there is one, and the number of its colour."""

    name: str
    values: Sequence[float | None]
    colour: int = 0
    #: Whether it goes on over columns of which nothing is known.
    bridged: bool = False


class Cell(Struct, frozen=True):
    """A cell of a strip: its class, how strong its colour is (0 to 1), and what it says."""

    kind: str
    strength: float
    text: str


class Row(Struct, frozen=True):
    """A strip of cells, one a column."""

    name: str
    cells: Sequence[Cell | None]


class Chart(Struct, frozen=True):
    """What a chart is of, what runs across it, and how wide it is."""

    title: str
    across: Across
    width: int

    def lines(self, drawn: Sequence[Line], scale: Scale, write: Callable[[float], str]) -> str:
        """Lines, broken where nothing is known unless they bridge it; one alone is filled."""
        bottom = _HEIGHT - _BOTTOM

        def y(value: float) -> float:
            return round(_TOP + (bottom - _TOP) * (1 - scale.share(value)), 1)

        parts = [*self._marks(_LEFT, _HEIGHT)]
        for mark in scale.marks:
            parts.append(f'<path class="grid" d="M{_LEFT} {y(mark)}H{self.width - _RIGHT}"/>')
            parts.append(_text(_LEFT - 6, y(mark) + 4, write(mark)))
        for line in drawn:
            for run in _runs(line):
                path = "L".join(f"{self._x(_LEFT, at + 0.5)} {y(value)}" for at, value in run)
                if len(drawn) == 1:
                    ends = f"V{bottom}H{self._x(_LEFT, run[0][0] + 0.5)}Z"
                    parts.append(f'<path class="area c{line.colour}" d="M{path}{ends}"/>')
                parts.append(f'<path class="line c{line.colour}" d="M{path}h0"/>')
        return self._svg(_HEIGHT, [*parts, *self._hints(drawn, write)])

    def strips(self, rows: Sequence[Row]) -> str:
        """Rows of coloured cells."""
        height = _TOP + _ROW * len(rows) + _BOTTOM
        names = [_short(row.name) for row in rows]
        left = max(_LEFT_OF_STRIPS, 16 + round(_CHARACTER * max(map(len, names), default=0)))
        parts = [*self._marks(left, height)]
        for number, (name, row) in enumerate(zip(names, rows, strict=True)):
            y = _TOP + _ROW * number
            parts.append(_text(left - 8, y + 14, name))
            parts.append(self._cell(left, y, (0, self.across.count), 'class="empty"', ""))
            for at, cell in enumerate(row.cells):
                if cell:
                    look = f'class="{cell.kind}" fill-opacity="{cell.strength:.2f}"'
                    said = f"{self.across.said(at)} · {row.name}: {cell.text}"
                    parts.append(self._cell(left, y, (at, at + 1), look, said))
        return self._svg(height, parts)

    def _x(self, left: int, number: float) -> float:
        """Where a column begins."""
        return round(left + (self.width - left - _RIGHT) * number / self.across.count, 1)

    def _cell(self, left: int, y: float, span: tuple[int, int], look: str, said: str) -> str:
        x, until = (self._x(left, number) for number in span)
        place = f'x="{x}" y="{y + 2}" width="{until - x + 0.2:.1f}" height="{_ROW - 4}"'
        return f"<rect {look} {place}><title>{escape(said)}</title></rect>"

    def _marks(self, left: int, height: int) -> Iterator[str]:
        for at, text in self.across.marks((self.width - left) // _MARK_WIDTH):
            x = self._x(left, at)
            yield f'<path class="grid" d="M{x} {_TOP}V{height - _BOTTOM}"/>'
            if left + 16 < x < self.width - 24:
                yield _text(x, height - 6, text, kind="time")

    def _hints(self, drawn: Sequence[Line], write: Callable[[float], str]) -> Iterator[str]:
        """What each column says when it is pointed at."""
        for at in range(self.across.count):
            known = [(line.name, value) for line in drawn if (value := line.values[at]) is not None]
            if known:
                x, until = (self._x(_LEFT, number) for number in (at, at + 1))
                said = "\n".join(
                    [self.across.said(at), *(f"{name}: {write(value)}" for name, value in known)]
                )
                place = f'x="{x}" y="{_TOP}" width="{until - x:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}"'
                yield f'<rect class="hint" {place}><title>{escape(said)}</title></rect>'

    def _svg(self, height: int, parts: Sequence[str]) -> str:
        label = escape(self.title)
        return (
            f'<svg viewBox="0 0 {self.width} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
        )


def _runs(line: Line) -> Iterator[list[tuple[int, float]]]:
    """The stretches of columns in which something is known, or all of them as one."""
    known = [(at, value) for at, value in enumerate(line.values) if value is not None]
    if line.bridged:
        yield from [known] if known else []
        return
    for _, run in itertools.groupby(enumerate(known), key=lambda place: place[1][0] - place[0]):
        yield [point for _, point in run]


def _short(name: str) -> str:
    """Of a long name the middle is left out: its number comes first, and pods differ at their ends."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME // 2]}…{name[-_LONGEST_NAME // 2 + 1 :]}"


def _text(x: float, y: float, text: str, kind: str = "mark") -> str:
    return f'<text class="{kind}" x="{x}" y="{y:.1f}">{escape(text)}</text>'
