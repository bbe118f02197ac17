"""Whether a table is worse than an earlier one, in what is stable from one day to another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from loadtest.bench.rows import Bench, Better, figure

#: The table that the checkout comes with.
BASELINE: Final = Path(__file__).with_name("baseline.json")

#: So much worse is still the same.
ALLOWANCE: Final = 0.10


class BadBaseline(Exception):
    """What is to be compared with is no table; the message says which file."""


def read(path: Path) -> Bench:
    """The table of an earlier run.

    Raises:
        BadBaseline: there is none in the file.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Bench)
    except (OSError, msgspec.DecodeError) as error:
        raise BadBaseline(f"{path} is no report of ./justw bench: {error}") from error


def worse(now: Bench, before: Bench) -> list[str]:
    """A sentence for each stable figure of both that is worse by more than the allowance."""
    return list(_worse(now, before))


def _worse(now: Bench, before: Bench) -> Iterator[str]:
    earlier = {row.name: row.found.values for row in before.rows}
    for row in now.rows:
        for name, value in row.found.values.items():
            was = earlier.get(row.name, {}).get(name)
            known = figure(row.name, name)
            if known.stable and was is not None and _is_worse(known.better, value, was):
                yield (
                    f"{row.name} {name} is {value:.3g}, over {ALLOWANCE:.0%} worse than the {was:.3g} of "
                    f"{before.commit or 'the baseline'}: {known.what}"
                )


def _is_worse(better: Better, value: float, was: float) -> bool:
    if better is Better.HIGHER:
        return value < was * (1 - ALLOWANCE)
    return value > was * (1 + ALLOWANCE)
