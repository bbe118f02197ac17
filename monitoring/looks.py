"""From two looks at the service to a snapshot."""

from collections.abc import Iterable

import redis.asyncio
from msgspec import Struct

from actors.clock import now_ms
from actors.histogram import percentile
from actors.metrics import AUDIO_S, REQUEST_S, REQUESTS, STAGE_S, SYNCHRONOUS, Endpoint, Stage, Status
from actors.store.backlog import Backlog, read_backlog
from actors.store.metrics import read_metrics
from actors.store.workers import Pool, Tries, read_pool
from monitoring.health import HealthReport, WorkerHealth
from monitoring.host import Host
from monitoring.measures import Distribution, Measures, together
from monitoring.snapshot import EndpointFigures, Percentiles, QueueFigures, Snapshot, WorkerFigures

#: What is known of the workers while Redis is away.
NOBODY = Pool(instances={}, segmenters={}, counters={}, busy=frozenset(), jobs={})


class Look(Struct, frozen=True, kw_only=True):
    """What Redis knows at one moment."""

    at_ms: int
    pool: Pool = NOBODY
    backlog: Backlog = Backlog()
    measures: Measures = Measures({})


async def look(client: redis.asyncio.Redis, queues_client: redis.asyncio.Redis) -> Look:
    """Look at it now."""
    pool = await read_pool(client, now_ms())
    backlog = await read_backlog(client, queues_client)
    return Look(at_ms=now_ms(), pool=pool, backlog=backlog, measures=Measures(await read_metrics(client)))


def compare(before: Look | None, now: Look, health: HealthReport, host: Host) -> Snapshot:
    """The snapshot of a look; nothing is known of the time before the first one."""
    passed_s = max(0.0, (now.at_ms - before.at_ms) / 1000) if before else 0.0
    counted = now.measures.since(before.measures) if before and passed_s else Measures({})
    requests = sum(_requests(counted, endpoint) for endpoint in Endpoint)
    return Snapshot(
        at_ms=now.at_ms,
        interval_s=passed_s,
        health=health.status,
        healthy_instances=health.healthy_instances,
        total_instances=health.total_instances,
        deaths=_deaths(before, now),
        healthy_segmenters=sum(worker.healthy for worker in health.segmenters),
        queue=_queue(now),
        requests=requests,
        requests_per_s=_per(requests, passed_s),
        success_rate=_success_rate(counted, Endpoint),
        rtfx=_per(counted.total(AUDIO_S), passed_s),
        latency_s=_percentiles(together(counted.distribution(REQUEST_S, name) for name in SYNCHRONOUS)),
        endpoints=_endpoints(counted),
        stages=_stages(counted),
        instances=tuple(_instance(worker, before, now) for worker in health.health_details),
        segmenters=tuple(_worker(worker, None) for worker in health.segmenters),
        cpu=host.cpu,
        monitor_cpu=host.monitor_cpu,
        memory_mb=host.memory_mb,
        memory_total_mb=host.memory_total_mb,
        disk_free_mb=host.disk_free_mb,
        gpus=host.gpus,
    )


def _deaths(before: Look | None, now: Look) -> int:
    if before is None:
        return 0
    was, counted = (sum(look.pool.deaths.values()) for look in (before, now))
    return max(0, counted - was)  # while Redis is away, none are known


def _queue(now: Look) -> QueueFigures:
    backlog = now.backlog
    return QueueFigures(
        waiting_jobs=backlog.waiting_jobs,
        oldest_s=max(0, now.at_ms - backlog.oldest_ms) / 1000 if backlog.oldest_ms else 0.0,
        running_jobs=backlog.running_jobs,
        segments_waiting=backlog.segments_waiting,
        audio_s=(backlog.short_ms + backlog.long_ms) / 1000,
        spool_mb=round(backlog.spool_bytes / 2**20, 3),
    )


def _endpoints(counted: Measures) -> dict[str, EndpointFigures]:
    figures = {}
    for endpoint in Endpoint:
        latency = _percentiles(counted.distribution(REQUEST_S, endpoint))
        if latency:
            figures[endpoint.value] = EndpointFigures(
                requests=_requests(counted, endpoint),
                success_rate=_success_rate(counted, [endpoint]),
                latency_s=latency,
            )
    return figures


def _stages(counted: Measures) -> dict[str, Percentiles]:
    found = {stage.value: _percentiles(counted.distribution(STAGE_S, stage)) for stage in Stage}
    return {stage: took for stage, took in found.items() if took}


def _instance(worker: WorkerHealth, before: Look | None, now: Look) -> WorkerFigures:
    if before is None:
        return _worker(worker, 0.0)
    was, counted = (look.pool.counters.get(worker.instance, Tries()) for look in (before, now))
    # A batch counts when it ends: one that began before the last look may make up more than the time since.
    busy = _per(max(0, counted.busy_ms - was.busy_ms) / 1000, (now.at_ms - before.at_ms) / 1000)
    return _worker(worker, min(1.0, busy))


def _worker(worker: WorkerHealth, busy: float | None) -> WorkerFigures:
    return WorkerFigures(
        name=worker.instance,
        state=worker.state,
        busy=busy,
        rss_mb=worker.rss_mb,
        gpu_mb=worker.gpu_mb,
        heard_s_ago=None if worker.heard_ms_ago is None else worker.heard_ms_ago / 1000,
    )


def _requests(counted: Measures, endpoint: Endpoint) -> int:
    return round(sum(counted.total(REQUESTS, endpoint, status) for status in Status))


def _success_rate(counted: Measures, endpoints: Iterable[Endpoint]) -> float:
    of = tuple(endpoints)
    total = sum(_requests(counted, endpoint) for endpoint in of)
    failed = sum(counted.total(REQUESTS, endpoint, Status.FAILED) for endpoint in of)
    return round(1 - failed / total, 4) if total else 1.0


def _percentiles(observed: Distribution) -> Percentiles | None:
    p50, p95, p99 = (percentile(observed.counts, share) for share in (0.5, 0.95, 0.99))
    if p50 is None or p95 is None or p99 is None:
        return None
    return Percentiles(round(p50, 4), round(p95, 4), round(p99, 4))


def _per(amount: float, seconds: float) -> float:
    return round(amount / seconds, 4) if seconds > 0 else 0.0
