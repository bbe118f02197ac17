"""Round numbers for the axes of charts, and how they are written."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

_MINUTE_MS: Final = 60_000

#: Distances between the marks of a time axis, in minutes: up to a week.
_STEPS_MIN: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080)

#: And between those of one that counts seconds from the start of something.
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, *(60 * step for step in _STEPS_MIN))


class Scale(Struct, frozen=True):
    """The marks of an axis of values, from its lowest to its highest; by powers of ten or evenly."""

    marks: tuple[float, ...]
    powers: bool = False

    def share(self, value: float) -> float:
        """How far up a value is, 0 to 1."""
        lowest, highest = self.marks[0], self.marks[-1]
        if self.powers:
            value, lowest, highest = (math.log10(max(one, 1e-9)) for one in (value, lowest, highest))
        return min(1.0, max(0.0, (value - lowest) / (highest - lowest)))


def even(values: Sequence[float], least: float = 1.0) -> Scale:
    """From 0 to above all values, and at least so far, in at most five steps."""
    highest = max([*values, least])
    power = 10 ** math.floor(math.log10(highest))
    step = next(
        step for step in (power / 5, power / 4, power / 2, power, 2 * power) if highest <= 5 * step * 1.0001
    )
    return Scale(tuple(round(step * number, 9) for number in range(math.ceil(highest / step - 1e-4) + 1)))


def powers(values: Sequence[float]) -> Scale:
    """Powers of ten around all values; where two hold them, 2 and 5 times these as well."""
    positive = [value for value in values if value > 0] or [1.0]
    lowest = math.floor(math.log10(min(positive)))
    highest = max(math.ceil(math.log10(max(positive))), lowest + 1)
    decades = tuple(10.0**power for power in range(lowest, highest + 1))
    if highest - lowest > 2:
        return Scale(decades, powers=True)
    fine = [*(step * decade for decade in decades[:-1] for step in (1, 2, 5)), 10.0**highest]
    first = max(at for at, mark in enumerate(fine[:-1]) if mark <= min(positive) or not at)
    above = (at for at, mark in enumerate(fine) if at > first and mark >= max(positive))
    last = next(above, len(fine) - 1)
    return Scale(tuple(fine[first : last + 1]), powers=True)


def times(start_ms: float, end_ms: float, most: int) -> list[tuple[float, str]]:
    """Round local times between two moments, at most so many, and how they are written."""
    span_min = (end_ms - start_ms) / _MINUTE_MS
    step_min = next((step for step in _STEPS_MIN if span_min / step <= most), _STEPS_MIN[-1])
    step_ms = step_min * _MINUTE_MS
    zone_ms = local(start_ms).utcoffset() or dt.timedelta()
    shift_ms = zone_ms.total_seconds() * 1000
    first = math.ceil((start_ms + shift_ms) / step_ms)
    last = math.floor((end_ms + shift_ms) / step_ms)
    found = [number * step_ms - shift_ms for number in range(first, last + 1)]
    return [(at_ms, _clock(at_ms, days=step_min >= 1440)) for at_ms in found]


def elapsed(span_s: float, most: int) -> list[tuple[float, str]]:
    """Round times in seconds since a start, at most so many, and how they are written."""
    step_s = next((step for step in _STEPS_S if span_s / step <= most), _STEPS_S[-1])
    return [(at_s, duration(at_s)) for at_s in range(step_s, math.floor(span_s) + 1, step_s)]


def local(at_ms: float) -> dt.datetime:
    """A moment in this machine's time zone."""
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).astimezone()


def duration(seconds: float) -> str:
    """A duration as people write it: 20 ms, 1.5 s, 3 min."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 599.5:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 59_970 else f"{seconds / 3600:.3g} h"


def _clock(at_ms: float, *, days: bool) -> str:
    at = local(at_ms)
    if days or (at.hour, at.minute) == (0, 0):
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M}"
