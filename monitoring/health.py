"""How healthy the service is, judged from what its workers say of themselves."""

import enum
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from actors.names import WorkerKind, WorkerName, on
from actors.records import Capabilities, WorkerReport, WorkerState
from actors.store.workers import LOST_AFTER_MS, Pool


class Health(enum.StrEnum):
    """Healthy: every worker is. Unhealthy: no instance or no segmenter is. Degraded: anything between."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Condition(enum.StrEnum):
    """What a worker is doing, as seen from outside."""

    LOADING = "loading"
    IDLE = "idle"
    BUSY = "busy"
    ERROR = "error"
    #: It has stopped reporting, or was never heard of.
    LOST = "lost"


class WorkerHealth(Struct, frozen=True, kw_only=True):
    """One instance or segmenter as `/health` shows it."""

    #: `instance-1`, or `instance-1@gpu-2` where several hosts share a Redis.
    instance: str
    state: Condition
    healthy: bool
    host: str | None = None
    pid: int | None = None
    device: str | None = None
    model: str | None = None
    #: Memory on the host and, where that is known, on its GPU.
    rss_mb: int | None = None
    gpu_mb: int | None = None
    #: Milliseconds since its last report.
    heard_ms_ago: int | None = None
    #: Why the state is `error`; while it is `loading`, why the process before this one was,
    #: or that it ended without being told to; in any state, that another process has its name.
    reason: str | None = None


class HealthReport(Struct, frozen=True, kw_only=True):
    """The answer of `GET /health`."""

    status: Health
    health_ratio: float
    total_instances: int
    healthy_instances: int
    unhealthy_instances: int
    health_details: tuple[WorkerHealth, ...]
    #: Whoever decodes and cuts; without one no upload gets anywhere.
    segmenters: tuple[WorkerHealth, ...]
    #: What all healthy instances can do; null while there is none.
    model: Capabilities | None


def assess(pool: Pool, *, expected: Iterable[WorkerName], now_ms: int) -> HealthReport:
    """Judge the pool, in which at least the expected workers should be."""
    missing = [name for name in expected if str(name) not in {*pool.instances, *pool.segmenters}]
    details = _details(WorkerKind.INSTANCE, pool.instances, missing, pool, now_ms)
    cutting = _details(WorkerKind.SEGMENTER, pool.segmenters, missing, pool, now_ms)
    healthy = sum(detail.healthy for detail in details)
    alive = {detail.instance for detail in details if detail.healthy}
    reports = (report for name, report in pool.instances.items() if name in alive)
    return HealthReport(
        status=_status(details, cutting),
        health_ratio=healthy / len(details) if details else 0.0,
        total_instances=len(details),
        healthy_instances=healthy,
        unhealthy_instances=len(details) - healthy,
        health_details=details,
        segmenters=cutting,
        model=_shared([report.capabilities for report in reports if report.capabilities]),
    )


def without_hosts(report: HealthReport) -> HealthReport:
    """What works, but not on which machine, or why something does not."""
    everyone = (*report.health_details, *report.segmenters)
    names = {one.instance: WorkerName.parse(one.instance) for one in everyone}
    nodes = sorted({name.node for name in names.values() if name.node})
    numbers = {node: str(number) for number, node in enumerate(nodes, start=1)}
    shown = {full: on(numbers.get(name.node, ""), name.process) for full, name in names.items()}
    return _with_each(
        report,
        lambda one: msgspec.structs.replace(
            one, instance=shown[one.instance], host=None, pid=None, reason=None
        ),
    )


def without_details(report: HealthReport) -> HealthReport:
    """What everyone may know: not even on what it works."""
    return _with_each(
        without_hosts(report), lambda one: msgspec.structs.replace(one, device=None, rss_mb=None, gpu_mb=None)
    )


def _with_each(report: HealthReport, change: Callable[[WorkerHealth], WorkerHealth]) -> HealthReport:
    return msgspec.structs.replace(
        report,
        health_details=tuple(map(change, report.health_details)),
        segmenters=tuple(map(change, report.segmenters)),
    )


def condition(report: WorkerReport, pool: Pool, now_ms: int) -> Condition:
    """What a worker is doing."""
    if now_ms - report.beat_ms > LOST_AFTER_MS:
        return Condition.LOST
    match report.state:
        case WorkerState.LOADING:
            return Condition.LOADING
        case WorkerState.ERROR:
            return Condition.ERROR
        case WorkerState.READY:
            return Condition.BUSY if report.name in pool.busy else Condition.IDLE


def _shared(able: Sequence[Capabilities]) -> Capabilities | None:
    """What all of them can do: with `ASR_MODEL=auto` a restarted instance may find a better model."""
    if not able:
        return None
    return Capabilities(
        model=" and ".join(sorted({one.model for one in able})),
        languages=tuple(name for name in able[0].languages if all(name in one.languages for one in able)),
        itn=all(one.itn for one in able),
        emotion=all(one.emotion for one in able),
        words=all(one.words for one in able),
    )


def _details(
    kind: WorkerKind, reports: dict[str, WorkerReport], missing: Iterable[WorkerName], pool: Pool, now_ms: int
) -> tuple[WorkerHealth, ...]:
    examined = (_examine(report, pool, now_ms) for report in reports.values())
    return (*examined, *(_missing(str(name)) for name in missing if name.kind is kind))


def _examine(report: WorkerReport, pool: Pool, now_ms: int) -> WorkerHealth:
    seen = condition(report, pool, now_ms)
    return WorkerHealth(
        instance=report.name,
        state=seen,
        healthy=seen in {Condition.IDLE, Condition.BUSY},
        host=report.host,
        pid=report.pid,
        device=report.device,
        model=report.capabilities.model if report.capabilities else None,
        rss_mb=report.rss_mb,
        gpu_mb=report.gpu_mb,
        heard_ms_ago=max(0, now_ms - report.beat_ms),
        reason=report.reason,
    )


def _missing(name: str) -> WorkerHealth:
    return WorkerHealth(instance=name, state=Condition.LOST, healthy=False, reason="not running")


def _status(*groups: tuple[WorkerHealth, ...]) -> Health:
    if not all(any(worker.healthy for worker in group) for group in groups):
        return Health.UNHEALTHY
    every = all(worker.healthy for group in groups for worker in group)
    return Health.HEALTHY if every else Health.DEGRADED
