"""How the service was at one moment, and how it fared since the look before."""

from msgspec import Struct

from monitoring.health import Condition, Health
from monitoring.host import Gpu


class Percentiles(Struct, frozen=True):
    """Of durations in seconds, each right to within a quarter of its value."""

    p50: float
    p95: float
    p99: float


class QueueFigures(Struct, frozen=True, kw_only=True):
    """What waits, and what is under way."""

    #: Jobs that no segmenter has taken yet, and how long the first of them has waited.
    waiting_jobs: int = 0
    oldest_s: float = 0.0
    running_jobs: int = 0
    #: Segments that no instance has in hand yet.
    segments_waiting: int = 0
    #: Seconds of audio that wait for recognition.
    audio_s: float = 0.0
    #: Audio kept in Redis.
    spool_mb: float = 0.0


class WorkerFigures(Struct, frozen=True, kw_only=True):
    """One instance or segmenter."""

    name: str
    state: Condition
    #: Share of the time since the look before in which its engine worked; of segmenters it is not known.
    busy: float | None
    rss_mb: int | None
    gpu_mb: int | None
    #: Seconds since its last report; null where there was none lately.
    heard_s_ago: float | None


class EndpointFigures(Struct, frozen=True, kw_only=True):
    """The requests to an endpoint since the look before."""

    requests: int
    success_rate: float
    latency_s: Percentiles


class Snapshot(Struct, frozen=True, kw_only=True):
    """What the monitor saw at one look; counts, rates and percentiles are of the time since the last one."""

    at_ms: int
    #: The time since the look before; 0 at the first, when nothing is known of it.
    interval_s: float
    health: Health
    healthy_instances: int
    total_instances: int
    healthy_segmenters: int
    queue: QueueFigures
    requests: int
    requests_per_s: float
    #: Share of requests that did not fail by the service's fault (5xx); 1 where there were none.
    success_rate: float
    #: Seconds of audio recognised per second.
    rtfx: float
    #: Of the endpoints whose answer has the transcript; null where they had no requests.
    latency_s: Percentiles | None
    #: Endpoints that had requests, and stages that were gone through.
    endpoints: dict[str, EndpointFigures]
    stages: dict[str, Percentiles]
    instances: tuple[WorkerFigures, ...]
    segmenters: tuple[WorkerFigures, ...]
    #: The machine that the monitor runs on: shares of all its cores, and of one core by the monitor itself.
    cpu: float
    monitor_cpu: float
    memory_mb: int
    memory_total_mb: int
    disk_free_mb: int
    gpus: tuple[Gpu, ...]
    #: Instances and segmenters that ended without being told to, counted when their successors arrive.
    deaths: int = 0
    #: The alerts that fire.
    alerts: tuple[str, ...] = ()
