"""Snapshots by the column of a chart that they fall into."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from monitoring.axes import local, times
from monitoring.snapshot import Snapshot

#: More would be narrower than can be seen.
MOST: Final = 240

#: A column is wider than the usual time between two snapshots, so that only a pause leaves one empty.
_LOOKS: Final = 1.5


class Columns(Struct, frozen=True):
    """The snapshots of a period, in columns of equal width; those of a pause are empty."""

    start_ms: int
    width_ms: float
    looks: tuple[tuple[Snapshot, ...], ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.looks)

    def marks(self, most: int) -> list[tuple[float, str]]:
        """Round local times, at most so many, and how many columns from the left each is."""
        end_ms = self.start_ms + self.width_ms * self.count
        return [
            ((at_ms - self.start_ms) / self.width_ms, text)
            for at_ms, text in times(self.start_ms, end_ms, most)
        ]

    def said(self, column: int) -> str:
        """The moment at which a column begins."""
        at = local(self.start_ms + self.width_ms * column)
        return f"{at.day} {at:%b %H:%M:%S}"

    def mean(self, figure: Callable[[Snapshot], float | None]) -> list[float | None]:
        """The mean of a figure in each column; None where no snapshot has it."""
        return [_over(looks, figure, statistics.fmean) for looks in self.looks]

    def worst(self, figure: Callable[[Snapshot], float | None]) -> list[float | None]:
        """The greatest of a figure in each column."""
        return [_over(looks, figure, max) for looks in self.looks]


def columns(snapshots: Sequence[Snapshot]) -> Columns:
    """Some snapshots, at least one, in order of time."""
    start_ms, end_ms = snapshots[0].at_ms, snapshots[-1].at_ms
    gaps = [after.at_ms - before.at_ms for before, after in pairwise(snapshots)]
    usual_ms = statistics.median(gaps) if gaps else 1000.0
    width_ms = max((end_ms - start_ms + 1) / MOST, _LOOKS * usual_ms, 1.0)
    looks: list[list[Snapshot]] = [[] for _ in range(int((end_ms - start_ms) / width_ms) + 1)]
    for snapshot in snapshots:
        looks[int((snapshot.at_ms - start_ms) / width_ms)].append(snapshot)
    return Columns(start_ms, width_ms, tuple(map(tuple, looks)))


def _over(
    looks: Iterable[Snapshot],
    figure: Callable[[Snapshot], float | None],
    join: Callable[[Iterable[float]], float],
) -> float | None:
    known = [value for look in looks if (value := figure(look)) is not None]
    return join(known) if known else None
