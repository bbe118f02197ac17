"""What has changed between two looks, and whether that is more than it may."""

from typing import Final

from msgspec import Struct

from tests.soak.looks import Look

#: A figure may grow by so much of its value.
MOST: Final = 0.02

#: Unit, as figures end with it → growth that says nothing: an allocator's block; connections, which are kept
#: for as many threads as have ever asked at once.
FLOORS: Final = {"_mb": 4.0, "descriptors": 12, "threads": 1, "jobs": 8, "queues": 4, "processes": 0}

#: What grows until it is cut, by design, and to how much: ten megabytes and three predecessors of each log;
#: the monitor's 128 MB; the append-only file to twice what it had after its last rewriting, or 64 MB.
BOUNDED_MB: Final = {
    "logs disk_mb": 400.0,
    "monitoring disk_mb": 128.0,
    "append-only file disk_mb": 136.0,
}


class Drift(Struct, frozen=True):
    """A figure after the warm-up and at the end."""

    figure: str
    first: float
    last: float

    @property
    def share(self) -> float | None:
        """By how much it has grown; None where there was nothing."""
        return (self.last - self.first) / self.first if self.first else None

    @property
    def too_much(self) -> bool:
        """Whether it has grown by more than it may."""
        if self.figure in BOUNDED_MB:
            return self.last > BOUNDED_MB[self.figure]
        floor = next(least for unit, least in FLOORS.items() if self.figure.endswith(unit))
        return self.last - self.first > max(floor, MOST * self.first)


def drifts(first: Look, last: Look) -> list[Drift]:
    """Every figure of either look, 0 where a look has none of it."""
    return [Drift(name, first.get(name, 0), last.get(name, 0)) for name in dict.fromkeys((*first, *last))]
