"""The Prometheus text format, version 0.0.4.

Specification: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from actors.histogram import BOUNDS
from actors.meters import Counter, Histogram, Metric
from actors.metrics import METRICS
from monitoring.measures import Distribution, Measures

#: Litestar adds the character set.
MEDIA_TYPE: Final = "text/plain; version=0.0.4"

_Labels = Mapping[str, str]


class Family(Struct, frozen=True):
    """A metric of one number a series, computed when it is asked for."""

    name: str
    #: `counter` or `gauge`.
    kind: str
    help: str
    samples: tuple[tuple[_Labels, float], ...]


def expose(measures: Measures, computed: Iterable[Family]) -> str:
    """All that was counted, series never counted included, and what was computed."""
    lines = itertools.chain.from_iterable(_metric(metric, measures) for metric in METRICS)
    others = itertools.chain.from_iterable(_family(family) for family in computed)
    return "\n".join([*lines, *others, ""])


def _metric(metric: Metric, measures: Measures) -> Iterator[str]:
    yield from _head(metric.name, "histogram" if isinstance(metric, Histogram) else "counter", metric.help)
    for values in itertools.product(*(label.values for label in metric.labels)):
        labels = {label.name: value for label, value in zip(metric.labels, values, strict=True)}
        match metric:
            case Counter():
                yield _sample(metric.name, labels, measures.total(metric, *values))
            case Histogram():
                yield from _histogram(metric.name, labels, measures.distribution(metric, *values))


def _histogram(name: str, labels: _Labels, observed: Distribution) -> Iterator[str]:
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    for bound, count in zip(bounds, itertools.accumulate(observed.counts), strict=True):
        yield _sample(f"{name}_bucket", {**labels, "le": bound}, count)
    yield _sample(f"{name}_sum", labels, observed.sum)
    yield _sample(f"{name}_count", labels, observed.count)


def _family(family: Family) -> Iterator[str]:
    yield from _head(family.name, family.kind, family.help)
    for labels, value in family.samples:
        yield _sample(family.name, labels, value)


def _head(name: str, kind: str, help_: str) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: _Labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
