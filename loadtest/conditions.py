"""Conditions on the figures of a run, `p95>2s,errors>0`: where one holds, the run has failed."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from loadtest.figures import Figures
from loadtest.percentiles import Durations
from loadtest.plan import BadPlan
from loadtest.watched import Watched


class Quantity(Struct, frozen=True):
    """A figure that a condition may name: its unit (`s`, `%` or none), and where it is found."""

    unit: str
    of: Callable[[Figures], float | None]


class Condition(Struct, frozen=True, kw_only=True):
    """A figure, how it is compared, and with what: seconds, a share (0 to 1) or a number."""

    name: str
    comparison: str
    limit: float


#: Comparison → its function, and how it is said.
_COMPARISONS: Final[dict[str, tuple[Callable[[float, float], bool], str]]] = {
    ">=": (operator.ge, "at least"),
    "<=": (operator.le, "at most"),
    ">": (operator.gt, "above"),
    "<": (operator.lt, "below"),
}

#: Unit → the units in which a limit may be given, and what each is worth.
_UNITS: Final = {"s": {"ms": 0.001, "s": 1.0, "min": 60.0}, "%": {"%": 0.01}, "": {"": 1.0}}

_CONDITION: Final = re.compile(r"(\w+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z%]*)")


def _durations(prefix: str, take: Callable[[Figures], Durations | None]) -> dict[str, Quantity]:
    def one(field: str) -> Quantity:
        return Quantity("s", lambda seen: getattr(found, field) if (found := take(seen)) else None)

    fields = {"avg": "mean_s", "p50": "p50_s", "p90": "p90_s", "p95": "p95_s", "p99": "p99_s", "max": "max_s"}
    return {f"{prefix}{name}": one(field) for name, field in fields.items()}


def _watched(unit: str, take: Callable[[Watched], float | None]) -> Quantity:
    return Quantity(unit, lambda seen: take(seen.watched) if seen.watched else None)


#: What conditions may name.
QUANTITIES: Final[dict[str, Quantity]] = {
    "requests": Quantity("", lambda seen: seen.requests),
    "errors": Quantity("", lambda seen: seen.requests - seen.ok),
    "success": Quantity("%", lambda seen: seen.success),
    "rps": Quantity("", lambda seen: seen.throughput.requests_per_s if seen.throughput else None),
    "rtfx": Quantity("", lambda seen: seen.throughput.rtfx if seen.throughput else None),
    "knee": Quantity("", lambda seen: seen.knee_per_s),
    **_durations("", lambda seen: seen.latency),
    **_durations("service_", lambda seen: seen.service),
    **_durations("first_", lambda seen: seen.first_segment),
    **_durations("health_", lambda seen: seen.watched.health.latency if seen.watched else None),
    **_durations("late_", lambda seen: seen.runner.late),
    "exact": Quantity("%", lambda seen: seen.correctness.exact),
    "error_rate": Quantity("%", lambda seen: seen.correctness.error_rate),
    "difference": Quantity("%", lambda seen: seen.agreement.requests_difference if seen.agreement else None),
    "unhealthy": _watched("s", lambda seen: seen.health.unhealthy_s),
    "waiting_jobs": _watched("", lambda seen: seen.waiting_jobs.max if seen.waiting_jobs else None),
    "segments_waiting": _watched(
        "", lambda seen: seen.segments_waiting.max if seen.segments_waiting else None
    ),
    "busy": _watched("%", lambda seen: seen.busy.mean if seen.busy else None),
    "cpu": _watched("%", lambda seen: seen.cpu.mean),
    "memory_mb": _watched("", lambda seen: seen.rss_mb if seen.processes else None),
}


def parse(text: str) -> tuple[Condition, ...]:
    """The conditions of a text, separated by commas.

    Raises:
        BadPlan: one is none, or names no figure, or its unit is not that of the figure.
    """
    return tuple(_condition(part.strip()) for part in text.split(","))


def broken(conditions: Iterable[Condition], figures: Figures) -> list[str]:
    """Which conditions hold, or may do so as the figure is not known, each as a sentence with the figure."""
    return [said for condition in conditions if (said := _said(condition, figures))]


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if not found:
        raise BadPlan(f"{text!r} is no condition such as p95>2s, errors>0 or success<99%")
    name, comparison, limit, unit = found.groups()
    if name not in QUANTITIES:
        raise BadPlan(f"{text}: there is no figure {name!r}; there are {', '.join(QUANTITIES)}")
    units = _UNITS[QUANTITIES[name].unit]
    if unit not in units:
        raise BadPlan(f"{text}: {name} {_wanted(list(units))}")
    return Condition(name=name, comparison=comparison, limit=round(float(limit) * units[unit], 12))


def _wanted(units: Sequence[str]) -> str:
    return f"is given in {' or '.join(units)}" if any(units) else "is a number, without a unit"


def _said(condition: Condition, figures: Figures) -> str:
    quantity = QUANTITIES[condition.name]
    value = quantity.of(figures)
    compare, words = _COMPARISONS[condition.comparison]
    limit = _written(condition.limit, quantity.unit)
    if value is None:
        return f"{condition.name} is not known, and must not be {words} {limit}"
    if not compare(value, condition.limit):
        return ""
    return f"{condition.name} is {_written(value, quantity.unit)}, {words} {limit}"


def _written(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value * 100:.6g} %"
    return f"{value:.6g} {unit}".rstrip()
