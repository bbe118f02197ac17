"""What `/metrics` computes when it is asked: how workers and monitor are, what waits, the older counters."""

from collections import Counter
from collections.abc import Mapping, Sequence

from actors.records import JobState
from actors.store.backlog import Backlog
from actors.store.workers import ALL_GONE, Pool, Tries
from monitoring.alerts import Book
from monitoring.exposition import Family
from monitoring.health import Condition, HealthReport, WorkerHealth


def gauges(pool: Pool, health: HealthReport, backlog: Backlog, book: Book, now_ms: int) -> list[Family]:
    """All of them."""
    workers = _workers(health, pool.deaths)
    return [*workers, *_backlog(backlog, now_ms), *_monitor(book, now_ms), *_tries(pool)]


def _workers(health: HealthReport, died: Mapping[str, int]) -> list[Family]:
    workers = (*health.health_details, *health.segmenters)
    rss = {worker.instance: worker.rss_mb << 20 for worker in workers if worker.rss_mb is not None}
    deaths = dict(died) | {worker.instance: died.get(worker.instance, 0) for worker in workers}
    gpu = {worker.instance: worker.gpu_mb << 20 for worker in workers if worker.gpu_mb is not None}
    return [
        Family("asr_instances", "gauge", "Instances by state.", _by_state(health.health_details)),
        Family("asr_segmenters", "gauge", "Segmenters by state.", _by_state(health.segmenters)),
        _of_each("asr_worker_resident_memory_bytes", "gauge", "Memory on the host.", "worker", rss),
        _of_each("asr_worker_gpu_memory_bytes", "gauge", "Memory on the GPU, where known.", "worker", gpu),
        _of_each(
            "asr_worker_deaths_total",
            "counter",
            "Processes that were not told to end.",
            "worker",
            deaths,
        ),
    ]


def _backlog(backlog: Backlog, now_ms: int) -> list[Family]:
    oldest_s = 0.0 if backlog.oldest_ms is None else max(0, now_ms - backlog.oldest_ms) / 1000
    waiting_s = {"short": backlog.short_ms / 1000, "long": backlog.long_ms / 1000}
    return [
        _one("asr_jobs_waiting", "Jobs that no segmenter has taken yet.", backlog.waiting_jobs),
        _one("asr_jobs_running", "Jobs under way.", backlog.running_jobs),
        _one("asr_segments_waiting", "Segments that no instance has in hand yet.", backlog.segments_waiting),
        _of_each(
            "asr_backlog_audio_seconds", "gauge", "Audio that waits for recognition.", "lane", waiting_s
        ),
        _one("asr_oldest_waiting_seconds", "How long the oldest waiting job has waited.", oldest_s),
        _one("asr_spool_bytes", "Audio kept in Redis.", backlog.spool_bytes),
    ]


def _monitor(book: Book, now_ms: int) -> list[Family]:
    up, looked_s = float(not book.is_stale(now_ms)), book.judged_ms / 1000
    return [
        _one("asr_monitor_up", "Whether the monitor looks at the service.", up),
        _one("asr_monitor_last_look_timestamp_seconds", "When it did last; 0 for never.", looked_s),
    ]


def _tries(pool: Pool) -> list[Family]:
    ended = {state.value: pool.jobs.get(state, 0) for state in JobState if state.ended}
    tried = sorted({**pool.counters, **({ALL_GONE: pool.gone} if pool.gone != Tries() else {})}.items())
    tries = tuple(
        ({"instance": name, "outcome": outcome}, count)
        for name, counted in tried
        for outcome, count in (("succeeded", counted.succeeded), ("failed", counted.failed))
    )
    busy_s = {name: counted.busy_ms / 1000 for name, counted in tried}
    return [
        _of_each("asr_jobs_total", "counter", "Jobs that have ended.", "state", ended),
        Family("asr_instance_tries_total", "counter", "Tries at segments.", tries),
        _of_each(
            "asr_instance_busy_seconds_total", "counter", "Time that the engine worked.", "instance", busy_s
        ),
    ]


def _by_state(workers: Sequence[WorkerHealth]) -> tuple[tuple[Mapping[str, str], float], ...]:
    seen = Counter(worker.state for worker in workers)
    return tuple(({"state": state.value}, float(seen[state])) for state in Condition)


def _one(name: str, help_: str, value: float) -> Family:
    return Family(name, "gauge", help_, (({}, value),))


def _of_each(name: str, kind: str, help_: str, label: str, values: Mapping[str, float]) -> Family:
    return Family(name, kind, help_, tuple(({label: of}, value) for of, value in values.items()))
