"""What the instances have done so far, as `GET /stats` shows it."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from actors.records import Job
from actors.store.workers import Pool, Tries
from monitoring.health import Condition, HealthReport, WorkerHealth


class InstanceStats(Struct, frozen=True, kw_only=True):
    """How an instance is, as in `/health`, and its tries at segments; one tried again counts again."""

    instance: str
    state: Condition
    device: str | None
    model: str | None
    rss_mb: int | None
    gpu_mb: int | None
    reason: str | None
    total_requests: int
    successful_requests: int
    failed_requests: int
    success_rate: float
    #: Audio recognised, and the time it took: their quotient is the speed in times real time.
    audio_s: float
    busy_s: float


class PoolStats(Struct, frozen=True, kw_only=True):
    """The tries of all instances together, those that have gone included, and of each."""

    total_instances: int
    total_requests: int
    successful_requests: int
    failed_requests: int
    success_rate: float
    instances: tuple[InstanceStats, ...]


class PoolStatus(Struct, frozen=True, kw_only=True):
    """What the instances are doing now; one that is lost counts as `error`."""

    pool_size: int
    status_distribution: dict[str, int]
    #: Instances that could take a segment at once.
    available_instances: int


class JobProgress(Struct, frozen=True, kw_only=True):
    """How far a running job is. Segments still being cut are not in `segments` yet."""

    job: str
    running_s: float
    #: Where in the recording the segmenter is.
    cut_s: float
    all_cut: bool
    segments: int
    finished_segments: int
    failed_segments: int


class Statistics(Struct, frozen=True, kw_only=True):
    """The answer of `GET /stats`."""

    model_pool_stats: PoolStats
    pool_status: PoolStatus
    #: State → jobs that have ended in it.
    jobs: dict[str, int]
    #: The jobs that have been running longest.
    running: tuple[JobProgress, ...]


def summarize(
    pool: Pool, health: HealthReport, running: Iterable[Job], now_ms: int, shown: HealthReport | None = None
) -> Statistics:
    """Sum up what Redis knows of the instances; each as `shown` has it, if that is less."""
    instances = tuple(
        _instance(as_shown, pool.counters.get(detail.instance, Tries()))
        for detail, as_shown in zip(health.health_details, (shown or health).health_details, strict=True)
    )
    tried = [*pool.counters.values(), pool.gone]
    succeeded = sum(one.succeeded for one in tried)
    total = succeeded + sum(one.failed for one in tried)
    seen = Counter(detail.state for detail in health.health_details)
    return Statistics(
        model_pool_stats=PoolStats(
            total_instances=len(instances),
            total_requests=total,
            successful_requests=succeeded,
            failed_requests=total - succeeded,
            success_rate=_rate(succeeded, total),
            instances=instances,
        ),
        pool_status=PoolStatus(
            pool_size=len(instances),
            status_distribution={
                "idle": seen[Condition.IDLE],
                "busy": seen[Condition.BUSY],
                "loading": seen[Condition.LOADING],
                "error": seen[Condition.ERROR] + seen[Condition.LOST],
            },
            available_instances=seen[Condition.IDLE],
        ),
        jobs=pool.jobs,
        running=tuple(_progress(job, now_ms) for job in running),
    )


def _instance(known: WorkerHealth, counted: Tries) -> InstanceStats:
    total = counted.succeeded + counted.failed
    return InstanceStats(
        instance=known.instance,
        state=known.state,
        device=known.device,
        model=known.model,
        rss_mb=known.rss_mb,
        gpu_mb=known.gpu_mb,
        reason=known.reason,
        total_requests=total,
        successful_requests=counted.succeeded,
        failed_requests=counted.failed,
        success_rate=_rate(counted.succeeded, total),
        audio_s=counted.audio_ms / 1000,
        busy_s=counted.busy_ms / 1000,
    )


def _progress(job: Job, now_ms: int) -> JobProgress:
    return JobProgress(
        job=job.id,
        running_s=(now_ms - (job.started_ms or now_ms)) / 1000,
        cut_s=job.audio_ms / 1000,
        all_cut=job.cut,
        segments=job.segments,
        finished_segments=job.finished,
        failed_segments=job.failed,
    )


def _rate(succeeded: int, total: int) -> float:
    return succeeded / total if total else 1.0
