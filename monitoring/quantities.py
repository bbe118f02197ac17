"""What the rules of alerts may watch: a number of each snapshot, or None where it says nothing."""

from collections.abc import Callable, Iterable
from typing import Final

from monitoring.health import Condition
from monitoring.snapshot import Percentiles, Snapshot

QUANTITIES: Final[dict[str, Callable[[Snapshot], float | None]]] = {
    "healthy_instances": lambda seen: seen.healthy_instances,
    "unhealthy_instances": lambda seen: seen.total_instances - seen.healthy_instances,
    "healthy_segmenters": lambda seen: seen.healthy_segmenters,
    # Instances and segmenters that have sent no heartbeat for ten seconds, or never.
    "silent_workers": lambda seen: sum(
        worker.state is Condition.LOST for worker in (*seen.instances, *seen.segmenters)
    ),
    # Those that ended without being told to; each is started again.
    "deaths": lambda seen: seen.deaths if seen.interval_s else None,
    "requests_per_s": lambda seen: seen.requests_per_s if seen.interval_s else None,
    "success_rate": lambda seen: seen.success_rate if seen.requests else None,
    "latency_p50_s": lambda seen: _p50(seen.latency_s),
    "latency_p95_s": lambda seen: _p95(seen.latency_s),
    "latency_p99_s": lambda seen: seen.latency_s.p99 if seen.latency_s else None,
    "queue_p95_s": lambda seen: _p95(seen.stages.get("queue")),
    "wait_p95_s": lambda seen: _p95(seen.stages.get("wait")),
    "rtfx": lambda seen: seen.rtfx or None,
    "oldest_s": lambda seen: seen.queue.oldest_s,
    "waiting_jobs": lambda seen: seen.queue.waiting_jobs,
    "segments_waiting": lambda seen: seen.queue.segments_waiting,
    # Seconds of audio that wait for recognition; at `ASR_MAX_BACKLOG_S` uploads are refused.
    "backlog_audio_s": lambda seen: seen.queue.audio_s,
    "spool_mb": lambda seen: seen.queue.spool_mb,
    "busy": lambda seen: min((worker.busy or 0.0 for worker in seen.instances), default=None),
    "cpu": lambda seen: seen.cpu,
    "memory": lambda seen: seen.memory_mb / seen.memory_total_mb,
    "disk_free_mb": lambda seen: seen.disk_free_mb,
    # The fullest GPU.
    "gpu_memory": lambda seen: _most(gpu.memory_mb / gpu.memory_total_mb for gpu in seen.gpus),
    "gpu_utilisation": lambda seen: _most(gpu.utilisation or 0.0 for gpu in seen.gpus),
}


def _p50(took: Percentiles | None) -> float | None:
    return took.p50 if took else None


def _p95(took: Percentiles | None) -> float | None:
    return took.p95 if took else None


def _most(shares: Iterable[float]) -> float | None:
    return max(shares, default=None)
