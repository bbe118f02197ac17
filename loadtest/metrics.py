"""What a service says of itself at `/metrics`, read back."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Self

from msgspec import Struct

from actors.histogram import BUCKETS
from actors.metrics import AUDIO_S, REQUEST_S, REQUESTS, STAGE_S, Stage, Status
from actors.metrics import Endpoint as Measured
from loadtest.plan import Endpoint
from loadtest.records import Counted

#: Where the service counts the requests of an endpoint.
MEASURED: Final = {
    Endpoint.ASR: Measured.ASR,
    Endpoint.ASR_SIMPLE: Measured.ASR_SIMPLE,
    Endpoint.JOBS: Measured.JOBS,
    Endpoint.OPENAI: Measured.OPENAI,
    Endpoint.STREAM: Measured.OPENAI,
}

#: A series, its labels in the order in which they are written, and its value.
_LINE: Final = re.compile(r"^([a-z_]+)(?:\{(.*)\})? ([-+]?(?:[0-9][0-9.e+-]*|Inf|NaN))$", re.MULTILINE)
_LABEL: Final = re.compile(r'="([^"]*)"')

_Values = tuple[str, ...]


class Metrics(Struct, frozen=True):
    """Name → values of the labels → value; those of a histogram's buckets in order of their bounds."""

    series: Mapping[str, Mapping[_Values, float]]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The answer of `/metrics`.

        Format: https://prometheus.io/docs/instrumenting/exposition_formats/.
        """
        series: dict[str, dict[_Values, float]] = {}
        for name, labels, value in _LINE.findall(text):
            series.setdefault(name, {})[tuple(_LABEL.findall(labels))] = float(value)
        return cls(series)

    def value(self, name: str, *labels: str) -> float:
        """A series; 0 where there is none."""
        return self.series.get(name, {}).get(labels, 0.0)

    def buckets(self, name: str, label: str) -> tuple[int, ...]:
        """How many observations fell into each bucket of `actors.histogram`."""
        found = self.series.get(f"{name}_bucket", {}).items()
        reached = [0, *(int(count) for labels, count in found if labels[0] == label)]
        return tuple(after - before for before, after in pairwise(reached)) or (0,) * BUCKETS


def counted(before: Metrics, after: Metrics, endpoint: Endpoint) -> Counted | None:
    """What the service has counted between two looks; None where it is none of ours, or was made anew."""
    if REQUESTS.name not in after.series or REQUESTS.name not in before.series:
        return None
    measured = MEASURED[endpoint]

    def grown(name: str, *labels: str) -> float:
        return after.value(name, *labels) - before.value(name, *labels)

    if grown(AUDIO_S.name) < 0:
        return None
    return Counted(
        requests={status: int(grown(REQUESTS.name, measured, status)) for status in Status},
        audio_s=grown(AUDIO_S.name),
        stages={
            stage: _less(after.buckets(STAGE_S.name, stage), before.buckets(STAGE_S.name, stage))
            for stage in Stage
        },
        answered_s=grown(f"{REQUEST_S.name}_sum", measured),
    )


def _less(after: Sequence[int], before: Sequence[int]) -> tuple[int, ...]:
    return tuple(late - early for late, early in zip(after, before, strict=True))
