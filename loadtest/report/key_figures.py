"""The figures that a run is judged by, how sure each is, and which way is better."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from loadtest.figures import Figures
from loadtest.percentiles import DEVIATE, sure
from loadtest.records import OK, Run
from loadtest.report.words import number, share
from loadtest.watched import Watched
from monitoring.axes import duration

#: How far apart two values may be that are not known to differ.
_NOISE: Final = 0.05


class KeyFigure(Struct, frozen=True, kw_only=True):
    """A figure; null where it is not known."""

    name: str
    write: Callable[[float], str]
    value: float | None
    more_is_better: bool = False
    #: Between which values it lies, by 95 %; null where nobody can say.
    between: tuple[float, float] | None = None

    @property
    def written(self) -> str:
        """As people read it."""
        return "-" if self.value is None else self.write(self.value)

    def against(self, before: "KeyFigure") -> str:
        """`better`, `worse`, `within noise`, or nothing where one of them is not known."""
        if self.value is None or before.value is None:
            return ""
        if self.between and before.between:
            same = self.between[0] <= before.between[1] and before.between[0] <= self.between[1]
        else:
            same = math.isclose(self.value, before.value, rel_tol=_NOISE)
        if same:
            return "within noise"
        return "better" if (self.value > before.value) == self.more_is_better else "worse"


def key_figures(run: Run, figures: Figures) -> list[KeyFigure]:
    """Those of a run, the same ones in the same order for each."""
    return [*_answers(figures), *_latency(run, figures), *_texts(figures), *_service(run, figures.watched)]


def _answers(figures: Figures) -> Iterator[KeyFigure]:
    done, ok = figures.throughput, figures.ok
    yield KeyFigure(
        name="answered well",
        write=share,
        value=figures.success,
        more_is_better=True,
        between=_wilson(ok, figures.requests),
    )
    for name, value in (
        ("requests/s", done.requests_per_s if done else None),
        ("RTFx", done.rtfx if done else None),
    ):
        yield KeyFigure(
            name=name, write=number, value=value, more_is_better=True, between=_counted(value, ok)
        )
    yield KeyFigure(name="knee, requests/s", write=number, value=figures.knee_per_s, more_is_better=True)


def _latency(run: Run, figures: Figures) -> Iterator[KeyFigure]:
    ordered = sorted(sample.latency_s for sample in run.samples if sample.outcome == OK)
    took = figures.latency
    mean_s = took.mean_s if took else None
    yield KeyFigure(name="latency mean", write=duration, value=mean_s, between=_mean(ordered))
    for name, percent in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        value = getattr(took, f"{name}_s") if took else None
        between = sure(ordered, percent) if ordered else None
        yield KeyFigure(name=f"latency {name}", write=duration, value=value, between=between)
    first = figures.first_segment
    yield KeyFigure(name="first segment p50", write=duration, value=first.p50_s if first else None)


def _texts(figures: Figures) -> Iterator[KeyFigure]:
    texts = figures.correctness
    yield KeyFigure(name="texts as alone", write=share, value=texts.exact, more_is_better=True)
    yield KeyFigure(name="error rate of texts", write=share, value=texts.error_rate)


def _service(run: Run, seen: Watched | None) -> Iterator[KeyFigure]:
    health = seen.health.latency if seen else None
    asked = sorted(look.health_s for look in run.looks if look.health_s is not None)
    yield KeyFigure(
        name="health p99",
        write=duration,
        value=health.p99_s if health else None,
        between=sure(asked, 0.99) if asked else None,
    )
    yield KeyFigure(name="not healthy", write=duration, value=seen.health.unhealthy_s if seen else None)
    waiting = seen.waiting_jobs if seen else None
    yield KeyFigure(name="most jobs waiting", write=number, value=waiting.max if waiting else None)
    used = seen if seen and seen.processes else None
    yield KeyFigure(name="cores used", write=number, value=used.cores("") if used else None)
    yield KeyFigure(name="memory, MiB", write=number, value=used.rss_mb if used else None)


def _mean(values: Sequence[float]) -> tuple[float, float] | None:
    """The interval of a mean, by the central limit theorem."""
    if len(values) < 2:
        return None
    mean, reach = statistics.fmean(values), DEVIATE * statistics.stdev(values) / math.sqrt(len(values))
    return mean - reach, mean + reach


def _wilson(ok: int, requests: int) -> tuple[float, float] | None:
    """The interval of a share: Wilson, "Probable inference" (1927)."""
    if not requests:
        return None
    z2, rate = DEVIATE**2, ok / requests
    reach = DEVIATE * math.sqrt(rate * (1 - rate) / requests + z2 / (4 * requests**2))
    low, high = ((rate + z2 / (2 * requests) + side * reach) / (1 + z2 / requests) for side in (-1, 1))
    return low, high


def _counted(rate: float | None, count: int) -> tuple[float, float] | None:
    """The interval of a rate that so many independent events make: the root of their number (Poisson)."""
    if rate is None or not count:
        return None
    reach = DEVIATE / math.sqrt(count)
    return rate * (1 - reach), rate * (1 + reach)
