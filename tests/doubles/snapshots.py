"""Snapshots as the monitor might take them."""

from typing import Any

from msgspec.structs import replace

from monitoring.health import Condition, Health
from monitoring.snapshot import EndpointFigures, Percentiles, QueueFigures, Snapshot, WorkerFigures

QUIET = Snapshot(
    at_ms=1_000_000,
    interval_s=30.0,
    health=Health.HEALTHY,
    healthy_instances=5,
    total_instances=5,
    healthy_segmenters=1,
    queue=QueueFigures(),
    requests=0,
    requests_per_s=0.0,
    success_rate=1.0,
    rtfx=0.0,
    latency_s=None,
    endpoints={},
    stages={},
    instances=tuple(
        WorkerFigures(
            name=f"instance-{number}",
            state=Condition.IDLE,
            busy=0.0,
            rss_mb=300,
            gpu_mb=None,
            heard_s_ago=1.0,
        )
        for number in range(1, 6)
    ),
    segmenters=(),
    cpu=0.1,
    monitor_cpu=0.001,
    memory_mb=4_000,
    memory_total_mb=16_000,
    disk_free_mb=50_000,
    gpus=(),
)


def quiet(at_ms: int, **changes: Any) -> Snapshot:
    """Nothing happened, but for these changes."""
    return replace(QUIET, at_ms=at_ms, **changes)


def busy(at_ms: int, *, success_rate: float = 1.0, p95_s: float = 1.0, **changes: Any) -> Snapshot:
    """Some requests, so many of which went well."""
    took = Percentiles(p95_s / 2, p95_s, p95_s * 2)
    return quiet(
        at_ms,
        requests=30,
        requests_per_s=1.0,
        success_rate=success_rate,
        rtfx=12.0,
        latency_s=took,
        endpoints={"asr": EndpointFigures(requests=30, success_rate=success_rate, latency_s=took)},
        stages={"wait": took},
        **changes,
    )
