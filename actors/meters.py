"""What a process has counted and not yet sent to Redis."""

import threading
from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from actors.histogram import bucket

#: The sum of a histogram is kept as a whole number of millionths.
SUM_PARTS: Final = 1_000_000


class Meters:
    """Amounts by field of the hash in Redis; any thread may add. No more fields than there are series."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: Tally[str] = Tally()

    def add(self, *amounts: tuple[str, int]) -> None:
        """Add these amounts to their fields."""
        with self._lock:
            for field, amount in amounts:
                self._pending[field] += amount

    def take(self) -> dict[str, int]:
        """All that has come together since the last time."""
        with self._lock:
            taken, self._pending = self._pending, Tally()
        return dict(taken)


#: The meters of this process.
METERS: Final = Meters()


class Label(Struct, frozen=True):
    """A label and all values that it may have: what clients send never becomes one."""

    name: str
    values: tuple[str, ...]


class Metric(Struct, frozen=True):
    """Something measured, as Prometheus names it."""

    name: str
    help: str
    labels: tuple[Label, ...] = ()

    def field(self, values: Iterable[str], part: str = "") -> str:
        """The field of the hash in Redis that holds a series, or a part of one.

        Raises:
            ValueError: a label cannot have this value.
        """
        chosen = tuple(values)
        for label, value in zip(self.labels, chosen, strict=True):
            if value not in label.values:
                raise ValueError(f"{self.name}: {label.name} cannot be {value!r}")
        return "|".join((self.name, ",".join(chosen), part))


class Counter(Metric, frozen=True):
    """Only grows. It is kept as a whole number, of which `per_unit` make one."""

    per_unit: int = 1

    def add(self, *values: str, amount: float = 1) -> None:
        """Count an amount for these values of the labels."""
        METERS.add((self.field(values), round(amount * self.per_unit)))


class Histogram(Metric, frozen=True):
    """How often what values were observed, in the buckets of `actors.histogram`."""

    def observe(self, value: float, *values: str) -> None:
        """Count an observation for these values of the labels."""
        METERS.add(
            (self.field(values, str(bucket(value))), 1), (self.field(values, "sum"), round(value * SUM_PARTS))
        )
