"""What was seen of the service while it was loaded: health, queue, processes, GPUs."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from loadtest.percentiles import Durations, durations
from loadtest.records import Look, Usage
from loadtest.series import in_order


class Level(Struct, frozen=True, kw_only=True):
    """Something that goes up and down."""

    mean: float
    max: float


class HealthFigures(Struct, frozen=True, kw_only=True):
    """What `/health` said, and how long it took."""

    latency: Durations | None
    unanswered: int
    #: How long it was not healthy, by what was seen from one look to the next.
    unhealthy_s: float
    #: Of those that were healthy; null where the service never said.
    fewest_instances: int | None
    most_instances: int | None


class ProcessFigures(Struct, frozen=True, kw_only=True):
    """What a process used."""

    cpu_cores: Level
    rss_max_mb: float
    #: How much more it was in the last quarter of the run than in the second, on average: what models load
    #: and caches fill at first is no leak. Null where there are too few looks.
    rss_grown_mb: float | None
    gpu_max_mb: float | None


class GpuFigures(Struct, frozen=True, kw_only=True):
    """How busy a GPU was, 0 to 1, and what of its memory was used."""

    utilisation: Level | None
    memory_max_mb: float | None


class Watched(Struct, frozen=True, kw_only=True):
    """The service during the run."""

    looks: int
    health: HealthFigures
    #: Null where the service never said.
    waiting_jobs: Level | None
    running_jobs: Level | None
    segments_waiting: Level | None
    oldest_max_s: float | None
    #: Share of the instances that were at work; null where none was seen.
    busy: Level | None
    #: Of the machine, 0 to 1.
    cpu: Level
    #: Empty where the service runs on another machine.
    processes: Mapping[str, ProcessFigures]
    gpus: Mapping[str, GpuFigures]

    def cores(self, prefix: str) -> float:
        """The cores that all processes of such a name used on average."""
        return sum(one.cpu_cores.mean for name, one in self.processes.items() if name.startswith(prefix))

    @property
    def rss_mb(self) -> float:
        """The memory of all processes, each at its most; pages that they share are in it more than once."""
        return sum(one.rss_max_mb for one in self.processes.values())


def watched(looks: Sequence[Look], end_s: float) -> Watched | None:
    """The figures of some looks, the last of which holds until the end; None where there are none."""
    if not looks:
        return None
    busy = [share for look in looks if (share := _busy(look)) is not None]
    names = in_order({name for look in looks for name in look.processes})
    gpus = sorted({gpu.index for look in looks for gpu in look.gpus})
    return Watched(
        looks=len(looks),
        health=_health(looks, end_s),
        waiting_jobs=_level(look.waiting_jobs for look in looks),
        running_jobs=_level(look.running_jobs for look in looks),
        segments_waiting=_level(look.segments_waiting for look in looks),
        oldest_max_s=_most(look.oldest_s for look in looks),
        busy=_level(busy),
        cpu=_mean_and_max([look.cpu for look in looks]),
        processes={name: _process([look.processes.get(name) for look in looks]) for name in names},
        gpus={f"GPU {index}": _gpu(looks, index) for index in gpus},
    )


def _busy(look: Look) -> float | None:
    return statistics.fmean(look.busy.values()) if look.busy else None


def _health(looks: Sequence[Look], end_s: float) -> HealthFigures:
    until = [after.at_s for _, after in pairwise(looks)] + [max(end_s, looks[-1].at_s)]
    lasted = zip(looks, until, strict=True)
    instances = [look.healthy_instances for look in looks if look.healthy_instances is not None]
    return HealthFigures(
        latency=durations(look.health_s for look in looks if look.health_s is not None),
        unanswered=sum(look.health_s is None for look in looks),
        unhealthy_s=sum(until_s - look.at_s for look, until_s in lasted if look.health != "healthy"),
        fewest_instances=min(instances, default=None),
        most_instances=max(instances, default=None),
    )


def _process(usages: Sequence[Usage | None]) -> ProcessFigures:
    seen = [usage for usage in usages if usage is not None]
    quarter = len(usages) // 4
    early, late = (
        [usage.rss_mb for usage in part if usage is not None]
        for part in (usages[quarter : 2 * quarter], usages[len(usages) - quarter :])
    )
    return ProcessFigures(
        cpu_cores=_mean_and_max([usage.cpu_cores for usage in seen]),
        rss_max_mb=max(usage.rss_mb for usage in seen),
        rss_grown_mb=statistics.fmean(late) - statistics.fmean(early) if quarter and early and late else None,
        gpu_max_mb=_most(usage.gpu_mb for usage in seen),
    )


def _gpu(looks: Iterable[Look], index: int) -> GpuFigures:
    seen = [gpu for look in looks for gpu in look.gpus if gpu.index == index]
    return GpuFigures(
        utilisation=_level(gpu.utilisation for gpu in seen),
        memory_max_mb=_most(gpu.memory_mb for gpu in seen),
    )


def _level(values: Iterable[float | None]) -> Level | None:
    known = [value for value in values if value is not None]
    return _mean_and_max(known) if known else None


def _mean_and_max(values: Sequence[float]) -> Level:
    return Level(mean=statistics.fmean(values), max=max(values))


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
