"""What all processes have counted, as numbers: since Redis was first started, or between two looks."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from actors.histogram import BUCKETS
from actors.meters import SUM_PARTS, Counter, Histogram


class Distribution(Struct, frozen=True):
    """Observations by bucket of `actors.histogram`, and their sum."""

    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)


class Measures(Struct, frozen=True):
    """The fields of the hash in Redis."""

    fields: Mapping[str, int]

    def since(self, earlier: "Measures") -> "Measures":
        """What has been counted since; a counter that is smaller now has begun anew."""
        return Measures(
            {
                field: amount - before if (before := earlier.fields.get(field, 0)) <= amount else amount
                for field, amount in self.fields.items()
            }
        )

    def total(self, counter: Counter, *values: str) -> float:
        """A series of a counter."""
        return self.fields.get(counter.field(values), 0) / counter.per_unit

    def distribution(self, histogram: Histogram, *values: str) -> Distribution:
        """A series of a histogram."""
        counts = [self.fields.get(histogram.field(values, str(number)), 0) for number in range(BUCKETS)]
        return Distribution(tuple(counts), self.fields.get(histogram.field(values, "sum"), 0) / SUM_PARTS)


def together(distributions: Iterable[Distribution]) -> Distribution:
    """All observations of some series."""
    known: Sequence[Distribution] = tuple(distributions)
    counts = tuple(map(sum, zip(*(one.counts for one in known), strict=True)))
    return Distribution(counts, sum(one.sum for one in known))
