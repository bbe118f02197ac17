"""Where the time goes while a service is saturated: by program, in the engines, and by stage."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct

from actors import histogram
from actors.metrics import BATCH_ROWS, STAGE_S, Stage
from loadtest.bench.looks import Look, Spent


class StageTimes(Struct, frozen=True, kw_only=True):
    """How long jobs or segments were in a stage by the clock; percentiles to within a quarter."""

    count: int
    mean_s: float
    p50_s: float
    p95_s: float


class Profile(Struct, frozen=True, kw_only=True):
    """What happened between two looks."""

    cores: int
    wall_s: float
    #: Seconds of speech that were recognised.
    audio_s: float
    #: Program → processor seconds.
    programs: Mapping[str, float]
    #: Instance → those of the threads that run its engine.
    engines: Mapping[str, float]
    batches: int
    #: Segments in a batch, on average.
    batch_rows: float
    stages: Mapping[str, StageTimes]

    @classmethod
    def between(cls, first: Look, last: Look, *, cores: int, engine_threads: int) -> Self:
        """From one look to a later one.

        The threads of an engine are those that spent most: nothing else in an instance calculates.
        """
        batches = _grown(first, last, f"{BATCH_ROWS.name}_count")
        return cls(
            cores=cores,
            wall_s=last.at_s - first.at_s,
            audio_s=last.audio_s - first.audio_s,
            programs={
                name: spent_s - first.spent.programs.get(name, 0)
                for name, spent_s in last.spent.programs.items()
            },
            engines=_engines(first.spent, last.spent, engine_threads),
            batches=int(batches),
            batch_rows=_grown(first, last, f"{BATCH_ROWS.name}_sum") / max(batches, 1),
            stages={stage: found for stage in Stage if (found := _stage(first, last, stage))},
        )

    @property
    def engine_share(self) -> float:
        """The engines' own part of the processor time of their instances, 0 to 1."""
        return sum(self.engines.values()) / max(sum(self.programs[name] for name in self.engines), 1e-9)


def _engines(first: Spent, last: Spent, engine_threads: int) -> dict[str, float]:
    return {
        name: sum(
            sorted(
                (spent_s - first.threads.get(name, {}).get(thread, 0) for thread, spent_s in threads.items()),
                reverse=True,
            )[:engine_threads]
        )
        for name, threads in last.threads.items()
    }


def _stage(first: Look, last: Look, stage: Stage) -> StageTimes | None:
    counts = [
        after - before
        for after, before in zip(
            last.metrics.buckets(STAGE_S.name, stage), first.metrics.buckets(STAGE_S.name, stage), strict=True
        )
    ]
    p50_s, p95_s = histogram.percentile(counts, 0.5), histogram.percentile(counts, 0.95)
    if p50_s is None or p95_s is None:
        return None
    total_s = _grown(first, last, f"{STAGE_S.name}_sum", stage)
    return StageTimes(count=sum(counts), mean_s=total_s / sum(counts), p50_s=p50_s, p95_s=p95_s)


def _grown(first: Look, last: Look, name: str, *labels: str) -> float:
    return last.metrics.value(name, *labels) - first.metrics.value(name, *labels)
