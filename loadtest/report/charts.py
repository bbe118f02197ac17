"""The charts of a report: the course of a run, its latency by percentile, and what each rate led to."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from loadtest.figures import Figures, StepFigures
from loadtest.percentiles import percentile
from loadtest.records import OK, Run
from loadtest.report.words import kind
from loadtest.series import Series, Values
from monitoring.axes import duration, elapsed
from monitoring.charts import Cell, Line, Row
from monitoring.sheet import DURATIONS, SHARES, lines, strips

#: Columns by which the share of slower requests falls to a tenth.
_COLUMNS_A_NINE: Final = 20

#: Percentiles that are marked, and how.
_MARKED: Final = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p99.9", 0.9999: "p99.99"}

#: The colours that lines may have.
_COLOURS: Final = 6

_HEALTH: Final = {"healthy": "good", "degraded": "warn"}


class Elapsed(Struct, frozen=True):
    """Time since the start, in columns of so many seconds."""

    width_s: float
    count: int

    def marks(self, most: int) -> list[tuple[float, str]]:
        """Round times."""
        return [(at_s / self.width_s, text) for at_s, text in elapsed(self.width_s * self.count, most)]

    def said(self, column: int) -> str:
        """When the column begins."""
        return f"after {duration(self.width_s * column)}"


class Nines(Struct, frozen=True):
    """Percentiles, each nine after another as far apart as the last, as HdrHistogram plots them."""

    count: int

    def share(self, column: int) -> float:
        """The share of the requests that are no slower."""
        return 1 - 10 ** (-column / _COLUMNS_A_NINE)

    def marks(self, most: int) -> list[tuple[float, str]]:
        """The usual percentiles, the lowest first."""
        places = {text: -math.log10(1 - share) * _COLUMNS_A_NINE + 0.5 for share, text in _MARKED.items()}
        return [(at, text) for text, at in places.items() if at <= self.count][:most]

    def said(self, column: int) -> str:
        """The percentile."""
        return f"p{self.share(column) * 100:.6g}"


class Rates(Struct, frozen=True):
    """The rates that were tried, one after the other."""

    rates: Sequence[float]

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.rates)

    def marks(self, most: int) -> list[tuple[float, str]]:
        """Each rate, or as many as there is room for."""
        step = math.ceil(self.count / most)
        return [(at + 0.5, f"{self.rates[at]:.3g}/s") for at in range(0, self.count, step)]

    def said(self, column: int) -> str:
        """The rate."""
        return f"{self.rates[column]:.4g} requests/s"


def charts(run: Run, figures: Figures) -> list[str]:
    """All charts that there is anything to draw in."""
    series = figures.series
    over = Elapsed(series.width_s, len(series.requests_per_s))
    p50 = Line("p50", series.latency_p50_s, bridged=True)
    p95 = Line("p95", series.latency_p95_s, 1, bridged=True)
    drawn = [
        _course(over, series),
        lines("Latency, by when a request was due", over, [p50, p95], DURATIONS),
        _by_percentile(run),
        lines("Answered well per second", over, [Line("requests/s", series.requests_per_s)]),
        lines("Audio answered, times real time", over, [Line("RTFx", series.rtfx, 3)]),
    ]
    return [*_rates(run, figures.steps), *drawn, *(_service(over, series) if figures.watched else ())]


def by_percentile(named: Mapping[str, Sequence[float]], colours: Sequence[int] = (0, 1)) -> str:
    """Latency by percentile of several runs, or as measured in several ways, in ascending order each."""
    most = max([10, *(len(values) for values in named.values())])
    nines = Nines(_COLUMNS_A_NINE * math.ceil(math.log10(most)) + 1)
    drawn = [
        Line(name, [_at(values, nines.share(column)) for column in range(nines.count)], colour)
        for colour, (name, values) in zip(colours, named.items(), strict=False)
    ]
    return lines("Latency by percentile", nines, drawn, DURATIONS)


def _at(values: Sequence[float], share: float) -> float | None:
    return percentile(values, share) if values else None


def _by_percentile(run: Run) -> str:
    good = [sample for sample in run.samples if sample.outcome == OK]
    since_due = sorted(sample.latency_s for sample in good)
    if not run.plan.is_open:
        return by_percentile({"latency": since_due})
    since_sent = sorted(sample.service_s for sample in good)
    return by_percentile({"since due": since_due, "since sent": since_sent})


def _course(over: Elapsed, series: Series) -> str:
    rows = [Row("health", [_health(series, at) for at in range(over.count)])]
    rows += [
        Row(name, [_busy(series, values, at) for at in range(over.count)])
        for name, values in series.busy.items()
    ]
    rows += [
        Row(name, [Cell("bad", 1.0, f"{count} requests") if count else None for count in counts])
        for name, counts in series.errors.items()
    ]
    legend = [
        ("good", "healthy"),
        ("warn", "degraded"),
        ("bad", "unhealthy, away, or errors"),
        ("busy", "busy"),
    ]
    return strips("Health, instances and errors", over, rows, legend)


def _health(series: Series, at: int) -> Cell | None:
    health, instances = series.health[at], series.healthy_instances[at]
    if health is None:
        return None
    said = health if instances is None else f"{health}, {instances:.0f} instances healthy"
    return Cell(_HEALTH.get(health, "bad"), 1.0, said)


def _busy(series: Series, values: Values, at: int) -> Cell | None:
    busy, health = values[at], series.health[at]
    if busy is not None:
        return Cell("busy", busy, f"{busy:.0%} busy")
    return Cell("bad", 1.0, "not healthy") if health not in {None, "away"} else None


def _service(over: Elapsed, series: Series) -> list[str]:
    waits = [
        Line("jobs waiting", series.waiting_jobs),
        Line("jobs running", series.running_jobs, 3),
        Line("segments waiting", series.segments_waiting, 1),
    ]
    shares = [Line("processor", series.cpu)]
    shares += [
        Line(name, values, 1 + at % (_COLOURS - 1)) for at, (name, values) in enumerate(series.gpus.items())
    ]
    drawn = [
        lines("What waits", over, waits),
        lines("Latency of /health", over, [Line("/health", series.health_s, 4)], DURATIONS),
        lines("Utilisation", over, shares, SHARES),
    ]
    if series.cpu_cores:
        drawn.append(lines("Cores used", over, _by_kind(series.cpu_cores)))
        drawn.append(lines("Memory, MiB", over, _by_kind(series.rss_mb)))
    return drawn


def _by_kind(named: Mapping[str, Values]) -> list[Line]:
    """The sums of processes of a kind."""
    kinds: dict[str, list[Values]] = {}
    for name, values in named.items():
        kinds.setdefault(kind(name), []).append(values)
    return [
        Line(
            name if len(each) == 1 else f"{name} ({len(each)})",
            [_sum(at) for at in zip(*each, strict=True)],
            c,
        )
        for c, (name, each) in enumerate(kinds.items())
    ]


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def _rates(run: Run, steps: Sequence[StepFigures]) -> list[str]:
    if not steps:
        return []
    rates = Rates([step.rate_per_s for step in steps])
    limit = Line("limit of p95", [run.plan.limit_p95_s] * len(steps), 5)
    took = [
        Line("p50", [step.latency.p50_s if step.latency else None for step in steps]),
        Line("p95", [step.latency.p95_s if step.latency else None for step in steps], 1),
        limit,
    ]
    done = [
        Line("arrived", [step.rate_per_s for step in steps], 4),
        Line(
            "answered well",
            [step.throughput.requests_per_s if step.throughput else None for step in steps],
        ),
    ]
    return [
        lines("Latency at each rate", rates, took, DURATIONS),
        lines("Requests per second at each rate", rates, done),
    ]
