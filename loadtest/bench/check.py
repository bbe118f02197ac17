"""Whether a table is worse than an earlier one, in what is stable from one day to another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from loadtest.bench.rows import Bench, Better, Row, Size, figure

#: The table that the checkout comes with.
BASELINE: Final = Path(__file__).with_name("baseline.json")

#: So much worse is still the same.
ALLOWANCE: Final = 0.10


class BadBaseline(Exception):
    """What is to be compared with is no table; the message says which file."""


class Verdict(Struct, frozen=True):
    """A sentence for each stable figure that has not passed."""

    #: They are worse by more than the allowance, or there no more.
    worse: tuple[str, ...]
    #: They could not be compared, and count as good.
    uncompared: tuple[str, ...]


def read(path: Path) -> Bench:
    """The table of an earlier run.

    Raises:
        BadBaseline: there is none in the file, or one that means nothing.
    """
    try:
        bench = msgspec.json.decode(path.read_bytes(), type=Bench)
    except (OSError, msgspec.DecodeError) as error:
        raise BadBaseline(f"{path} is no report of ./justw bench: {error}") from error
    if bench.size is Size.QUICK:
        raise BadBaseline(f"{path} was measured with --quick, so that its figures mean nothing")
    return bench


def compare(now: Bench, before: Bench) -> Verdict:
    """The stable figures of the rows measured now with those of an earlier table.

    A row that could not be measured is left out: it has failed already.
    """
    earlier = {row.name: row for row in before.rows}
    worse, uncompared = list[str](), list[str]()
    for row in now.rows:
        was = _stable(earlier[row.name]) if row.name in earlier else {}
        if row.found.skipped:
            uncompared += [f"{row.name} is not compared: {row.found.skipped}"] if was else []
        elif not row.problem:
            worse += _worse(row, was, before.commit or "the baseline")
            uncompared += [
                f"{row.name} {name} is not compared: {before.commit or 'the baseline'} does not have it"
                for name in _stable(row).keys() - was
            ]
    return Verdict(tuple(worse), tuple(sorted(uncompared)))


def _worse(row: Row, was: dict[str, float], earlier: str) -> Iterator[str]:
    values = _stable(row)
    for name, value in was.items():
        known = figure(row.name, name)
        if name not in values:
            yield f"{row.name} {name} is missing; it was {value:.3g} in {earlier}: {known.what}"
        elif _is_worse(known.better, values[name], value):
            yield (
                f"{row.name} {name} is {values[name]:.3g}, over {ALLOWANCE:.0%} worse than the "
                f"{value:.3g} of {earlier}: {known.what}"
            )


def _stable(row: Row) -> dict[str, float]:
    return {name: value for name, value in row.found.values.items() if figure(row.name, name).stable}


def _is_worse(better: Better, value: float, was: float) -> bool:
    if better is Better.HIGHER:
        return value < was * (1 - ALLOWANCE)
    return value > was * (1 + ALLOWANCE)
