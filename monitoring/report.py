"""The report: how the service fared over some time, as one page of HTML that needs nothing else."""

import statistics
from collections.abc import Callable, Sequence
from typing import Final

from actors.metrics import Stage
from actors.names import WorkerName
from monitoring.axes import duration, local
from monitoring.charts import Cell, Line, Row
from monitoring.columns import Columns, columns
from monitoring.episodes import Episode, episodes
from monitoring.health import Condition, Health
from monitoring.sheet import DURATIONS, SHARES, Axis, Tile, lines, sheet, strips, table, tiles
from monitoring.snapshot import Percentiles, Snapshot

_FEW: Final = Axis(SHARES.write, least=0.05)

_HEALTH: Final = {Health.HEALTHY: "good", Health.DEGRADED: "warn", Health.UNHEALTHY: "bad"}
_SICK: Final = {Condition.ERROR, Condition.LOST}


def page(snapshots: Sequence[Snapshot]) -> str:
    """The page on some snapshots, at least one, in order of time."""
    over = columns(snapshots)
    fired = episodes(snapshots)
    charts = [_course(over, fired), *_traffic(over), *_latency(over), _instances(over), *_machine(over)]
    began, ended = (f"{local(one.at_ms):%d %b %Y %H:%M}" for one in (snapshots[0], snapshots[-1]))
    about = (
        f"{began} to {ended} {local(snapshots[-1].at_ms):%Z}, {len(snapshots)} snapshots. "
        "Point at a chart for its numbers."
    )
    parts = [*charts, *_alerts(fired)]
    return sheet(f"Quintet, {began} to {ended}", "Quintet", about, _tiles(snapshots, fired), parts)


def _tiles(snapshots: Sequence[Snapshot], fired: Sequence[Episode]) -> str:
    requests = sum(seen.requests for seen in snapshots)
    failed = sum(seen.requests * (1 - seen.success_rate) for seen in snapshots)
    audio_h = sum(seen.rtfx * seen.interval_s for seen in snapshots) / 3600
    healthy = statistics.fmean(seen.health is Health.HEALTHY for seen in snapshots)
    slowest = max((seen.latency_s.p95 for seen in snapshots if seen.latency_s), default=None)
    answered = f"{1 - failed / requests:.2%}" if requests else "none"
    return tiles(
        [
            Tile("requests", f"{requests:,}"),
            Tile("answered well", answered, bad=failed / max(requests, 1) > 0.01),
            Tile("worst p95", "none" if slowest is None else duration(slowest)),
            Tile("hours of audio", f"{audio_h:,.1f}"),
            Tile("of the time healthy", f"{healthy:.1%}", bad=healthy < 0.99),
            Tile("alerts", str(len(fired)), bad=bool(fired)),
        ]
    )


def _course(over: Columns, fired: Sequence[Episode]) -> str:
    names = dict.fromkeys(episode.name for episode in fired)
    rows = [Row("health", [_health_cell(looks) for looks in over.looks])]
    rows += [
        Row(name, [_alert_cell(name, looks) for looks in over.looks])
        for name in names  # in the order in which they first fired
    ]
    legend = [("good", "healthy"), ("warn", "degraded"), ("bad", "unhealthy, or an alert fires")]
    return strips("Health and alerts", over, rows, legend)


def _traffic(over: Columns) -> list[str]:
    failed = over.worst(lambda seen: 1 - seen.success_rate if seen.requests else None)
    waiting = [
        Line("jobs waiting", over.worst(lambda seen: seen.queue.waiting_jobs), 0),
        Line("jobs running", over.worst(lambda seen: seen.queue.running_jobs), 3),
        Line("segments waiting", over.worst(lambda seen: seen.queue.segments_waiting), 1),
    ]
    return [
        lines("Requests per second", over, [Line("requests/s", over.mean(lambda seen: seen.requests_per_s))]),
        lines(
            "Audio recognised, times real time", over, [Line("RTFx", over.mean(lambda seen: seen.rtfx), 3)]
        ),
        lines("What waits", over, waiting),
        lines("Requests that failed by the service's fault", over, [Line("failed", failed, 5)], _FEW),
    ]


def _latency(over: Columns) -> list[str]:
    def line(name: str, take: Callable[[Percentiles], float], colour: int) -> Line:
        return Line(name, over.worst(lambda seen: take(seen.latency_s) if seen.latency_s else None), colour)

    def stage(name: str, colour: int) -> Line:
        return Line(
            name, over.worst(lambda seen: took.p95 if (took := seen.stages.get(name)) else None), colour
        )

    answers = [
        line("p50", lambda p: p.p50, 0),
        line("p95", lambda p: p.p95, 1),
        line("p99", lambda p: p.p99, 2),
    ]
    stages = [stage(name.value, colour) for colour, name in enumerate(Stage)]
    return [
        lines("Latency of transcripts", over, answers, DURATIONS),
        lines("95th percentile of each stage", over, stages, DURATIONS),
    ]


def _instances(over: Columns) -> str:
    names = dict.fromkeys(one.name for looks in over.looks for seen in looks for one in seen.instances)
    rows = [
        Row(name, [_busy_cell(name, looks) for looks in over.looks])
        for name in sorted(names, key=WorkerName.parse)
    ]
    legend = [("busy", "busy"), ("empty", "idle"), ("bad", "lost or in error")]
    return strips("How busy each instance was", over, rows, legend)


def _machine(over: Columns) -> list[str]:
    shares = [
        Line("processor", over.mean(lambda seen: seen.cpu), 0),
        Line("memory", over.mean(lambda seen: seen.memory_mb / seen.memory_total_mb), 1),
    ]
    gpus = [
        Line("GPUs", over.mean(lambda seen: _mean([gpu.utilisation for gpu in seen.gpus])), 3),
        Line("memory of GPUs", over.mean(_gpu_memory), 2),
    ]
    used = [*shares, *(line for line in gpus if any(value is not None for value in line.values))]
    rss = [
        Line("instances together", over.mean(lambda seen: sum(one.rss_mb or 0 for one in seen.instances)), 4)
    ]
    return [
        lines("The machine", over, used, SHARES),
        lines("Memory of the instances, MiB", over, rss),
    ]


def _gpu_memory(seen: Snapshot) -> float | None:
    return _mean([gpu.memory_mb / gpu.memory_total_mb for gpu in seen.gpus])


def _alerts(fired: Sequence[Episode]) -> list[str]:
    rows = [(one.name, f"{local(one.from_ms):%d %b %H:%M:%S}", _lasted(one)) for one in fired]
    return [table("Alerts", ("alert", "fired", "for"), rows)] if rows else []


def _lasted(one: Episode) -> str:
    return "still firing" if one.until_ms is None else duration((one.until_ms - one.from_ms) / 1000)


def _health_cell(looks: Sequence[Snapshot]) -> Cell | None:
    if not looks:
        return None
    worst = max(looks, key=lambda seen: list(_HEALTH).index(seen.health))
    text = f"{worst.health}, {worst.healthy_instances} of {worst.total_instances} instances"
    return Cell(_HEALTH[worst.health], 1.0, text)


def _alert_cell(name: str, looks: Sequence[Snapshot]) -> Cell | None:
    return Cell("bad", 1.0, "firing") if any(name in seen.alerts for seen in looks) else None


def _busy_cell(name: str, looks: Sequence[Snapshot]) -> Cell | None:
    ones = [one for seen in looks for one in seen.instances if one.name == name]
    sick = [one.state.value for one in ones if one.state in _SICK]
    if sick:
        return Cell("bad", 1.0, sick[-1])
    busy = _mean([one.busy for one in ones])
    return None if busy is None else Cell("busy", busy, f"{busy:.0%} busy")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
