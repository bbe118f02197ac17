"""How a run went over time, in stretches of equal length."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from loadtest.percentiles import Durations, durations
from loadtest.records import OK, Look, Run, Sample

T = TypeVar("T")

#: More stretches could not be told apart in a chart, and shorter ones would have hardly a request each.
_MOST: Final = 120
_LEAST_S: Final = 1.0

#: From the best to the worst.
_HEALTH: Final = ("healthy", "degraded", "unhealthy", "away")

#: One a stretch; None where nothing is known of it.
Values = tuple[float | None, ...]


class Series(Struct, frozen=True, kw_only=True):
    """Values by stretch; what is named by process, instance or GPU has those that were ever seen."""

    width_s: float
    #: Answered well, by when they ended.
    requests_per_s: tuple[float, ...]
    rtfx: tuple[float, ...]
    #: Class of the error → requests that ended so.
    errors: Mapping[str, tuple[int, ...]]
    #: Of requests answered well, by when they were due.
    latency_p50_s: Values
    latency_p95_s: Values
    #: The longest that `/health` took, and the worst that it said.
    health_s: Values
    health: tuple[str | None, ...]
    healthy_instances: Values
    waiting_jobs: Values
    running_jobs: Values
    segments_waiting: Values
    #: Share of the looks at which an instance was at work; None where it was not healthy.
    busy: Mapping[str, Values]
    #: Share of the machine.
    cpu: Values
    cpu_cores: Mapping[str, Values]
    rss_mb: Mapping[str, Values]
    #: Share of the time in which a GPU was at work.
    gpus: Mapping[str, Values]


class _Stretches(Struct, frozen=True):
    width_s: float
    count: int

    def of(self, ones: Iterable[T], at_s: Callable[[T], float]) -> list[list[T]]:
        """Each in the stretch that it belongs to."""
        found: list[list[T]] = [[] for _ in range(self.count)]
        for one in ones:
            found[min(self.count - 1, max(0, int(at_s(one) / self.width_s)))].append(one)
        return found


def series(run: Run) -> Series:
    """The course of a run."""
    end_s = max([run.took_s, *(sample.ended_s for sample in run.samples), *(look.at_s for look in run.looks)])
    width_s = max(_LEAST_S, end_s / _MOST)
    stretches = _Stretches(width_s, max(1, math.ceil(end_s / width_s - 1e-9)))
    due = stretches.of((one for one in run.samples if one.outcome == OK), lambda sample: sample.due_s)
    ended = stretches.of(run.samples, lambda sample: sample.ended_s)
    good = [[sample for sample in samples if sample.outcome == OK] for samples in ended]
    looks = stretches.of(run.looks, lambda look: look.at_s)
    took = [durations(sample.latency_s for sample in samples) for samples in due]
    return Series(
        width_s=width_s,
        requests_per_s=tuple(len(samples) / width_s for samples in good),
        rtfx=tuple(math.fsum(sample.audio_s for sample in samples) / width_s for samples in good),
        errors=_errors(ended),
        latency_p50_s=_of(took, lambda one: one.p50_s),
        latency_p95_s=_of(took, lambda one: one.p95_s),
        health_s=_over(looks, lambda look: look.health_s, max),
        health=tuple(max((look.health for look in seen), key=badness, default=None) for seen in looks),
        healthy_instances=_over(looks, lambda look: look.healthy_instances, min),
        waiting_jobs=_over(looks, lambda look: look.waiting_jobs),
        running_jobs=_over(looks, lambda look: look.running_jobs),
        segments_waiting=_over(looks, lambda look: look.segments_waiting),
        busy=_named(looks, lambda look: look.busy),
        cpu=_over(looks, lambda look: look.cpu),
        cpu_cores=_named(looks, lambda look: {name: one.cpu_cores for name, one in look.processes.items()}),
        rss_mb=_named(looks, lambda look: {name: one.rss_mb for name, one in look.processes.items()}),
        gpus=_named(looks, lambda look: {f"GPU {gpu.index}": gpu.utilisation for gpu in look.gpus}),
    )


def badness(health: str) -> int:
    """The worse the higher; what is no health is the worst."""
    return _HEALTH.index(health) if health in _HEALTH else len(_HEALTH)


def _errors(ended: Sequence[Sequence[Sample]]) -> dict[str, tuple[int, ...]]:
    counted = [Counter(sample.outcome for sample in samples) for samples in ended]
    names = sorted(set().union(*counted) - {OK})
    return {name: tuple(counts[name] for counts in counted) for name in names}


def _of(took: Iterable[Durations | None], take: Callable[[Durations], float]) -> Values:
    return tuple(None if one is None else take(one) for one in took)


def _over(
    looks: Iterable[Sequence[Look]],
    take: Callable[[Look], float | None],
    join: Callable[[Sequence[float]], float] = statistics.fmean,
) -> Values:
    known = ([value for look in seen if (value := take(look)) is not None] for seen in looks)
    return tuple(join(values) if values else None for values in known)


def _named(
    looks: Sequence[Sequence[Look]], take: Callable[[Look], Mapping[str, float | None]]
) -> dict[str, Values]:
    def one(name: str) -> Values:
        return _over(looks, lambda look: take(look).get(name))

    return {
        name: one(name) for name in in_order({name for seen in looks for look in seen for name in take(look)})
    }


def in_order(names: Iterable[str]) -> list[str]:
    """Names by their letters, then by their numbers: instance-10 after instance-9."""
    return sorted(names, key=lambda name: (name.rstrip("0123456789"), len(name), name))
