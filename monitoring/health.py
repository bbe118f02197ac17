"""How healthy the service is, judged from what its instances say of themselves."""

import enum

from msgspec import Struct

from actors.records import Capabilities, InstanceReport, InstanceState
from actors.store.instances import LOST_AFTER_MS, Pool


class Health(enum.StrEnum):
    """Healthy: every instance is. Unhealthy: none is. Degraded: anything between."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Condition(enum.StrEnum):
    """What an instance is doing, as seen from outside."""

    LOADING = "loading"
    IDLE = "idle"
    BUSY = "busy"
    ERROR = "error"
    #: It has stopped reporting, or was never heard of.
    LOST = "lost"


class InstanceHealth(Struct, frozen=True, kw_only=True):
    """One instance as `/health` shows it."""

    instance: str
    state: Condition
    healthy: bool
    host: str | None = None
    pid: int | None = None
    device: str | None = None
    model: str | None = None
    memory_mb: int | None = None
    #: Milliseconds since its last report.
    heard_ms_ago: int | None = None
    reason: str | None = None


class HealthReport(Struct, frozen=True, kw_only=True):
    """The answer of `GET /health`."""

    status: Health
    health_ratio: float
    total_instances: int
    healthy_instances: int
    unhealthy_instances: int
    health_details: tuple[InstanceHealth, ...]
    #: What the instances run; null until the first has loaded it.
    model: Capabilities | None


def assess(pool: Pool, expected: int, now_ms: int) -> HealthReport:
    """Judge the pool, of which at least `expected` instances should be there."""
    details = [_examine(report, pool, now_ms) for report in pool.reports.values()]
    details += [
        _missing(f"instance-{n}") for n in range(1, expected + 1) if f"instance-{n}" not in pool.reports
    ]
    healthy = sum(detail.healthy for detail in details)
    alive = {detail.instance for detail in details if detail.healthy}
    models = (report.capabilities for name, report in pool.reports.items() if name in alive)
    return HealthReport(
        status=_status(healthy, len(details)),
        health_ratio=healthy / len(details),
        total_instances=len(details),
        healthy_instances=healthy,
        unhealthy_instances=len(details) - healthy,
        health_details=tuple(details),
        model=next(models, None),
    )


def condition(report: InstanceReport, pool: Pool, now_ms: int) -> Condition:
    """What an instance is doing."""
    if now_ms - report.beat_ms > LOST_AFTER_MS:
        return Condition.LOST
    match report.state:
        case InstanceState.LOADING:
            return Condition.LOADING
        case InstanceState.ERROR:
            return Condition.ERROR
        case InstanceState.READY:
            return Condition.BUSY if report.name in pool.busy else Condition.IDLE


def _examine(report: InstanceReport, pool: Pool, now_ms: int) -> InstanceHealth:
    seen = condition(report, pool, now_ms)
    return InstanceHealth(
        instance=report.name,
        state=seen,
        healthy=seen in {Condition.IDLE, Condition.BUSY},
        host=report.host,
        pid=report.pid,
        device=report.device,
        model=report.capabilities.model if report.capabilities else None,
        memory_mb=report.rss_mb,
        heard_ms_ago=max(0, now_ms - report.beat_ms),
        reason=report.reason,
    )


def _missing(name: str) -> InstanceHealth:
    return InstanceHealth(instance=name, state=Condition.LOST, healthy=False, reason="never heard of")


def _status(healthy: int, total: int) -> Health:
    if healthy == total:
        return Health.HEALTHY
    return Health.DEGRADED if healthy else Health.UNHEALTHY
