"""The report: how the service fared over some time, as one page of HTML that needs nothing else."""

import statistics
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from msgspec import Struct

from actors.metrics import Stage
from monitoring.axes import duration, even, local, powers
from monitoring.charts import Cell, Chart, Line, Row
from monitoring.columns import Columns, columns
from monitoring.episodes import Episode, episodes
from monitoring.health import Condition, Health
from monitoring.snapshot import Percentiles, Snapshot

_STYLE: Final = Path(__file__).with_suffix(".css")

#: Widths in units of the drawing; a wide chart spans both columns of the page.
_NARROW: Final = 600
_WIDE: Final = 1216


class Axis(Struct, frozen=True):
    """How the values of a chart are written, how far they go at least, and whether by powers of ten."""

    write: Callable[[float], str]
    least: float = 1.0
    powers: bool = False


_NUMBERS: Final = Axis("{:,.4g}".format)
_DURATIONS: Final = Axis(duration, powers=True)
_SHARES: Final = Axis(lambda share: f"{share * 100:.3g} %")
_FEW: Final = Axis(_SHARES.write, least=0.05)

_HEALTH: Final = {Health.HEALTHY: "good", Health.DEGRADED: "warn", Health.UNHEALTHY: "bad"}
_SICK: Final = {Condition.ERROR, Condition.LOST}


def page(snapshots: Sequence[Snapshot]) -> str:
    """The page on some snapshots, at least one, in order of time."""
    over = columns(snapshots)
    fired = episodes(snapshots)
    charts = [_course(over, fired), *_traffic(over), *_latency(over), _instances(over), *_machine(over)]
    began, ended = (f"{local(one.at_ms):%d %b %Y %H:%M}" for one in (snapshots[0], snapshots[-1]))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Quintet, {began} to {ended}</title><style>{_STYLE.read_text(encoding='utf-8')}</style>"
        f"</head><body><header><h1>Quintet</h1><p>{began} to {ended} {local(snapshots[-1].at_ms):%Z}, "
        f"{len(snapshots)} snapshots. Point at a chart for its numbers.</p></header>"
        f"{_tiles(snapshots, fired)}<main>{''.join(charts)}{_alerts(fired)}</main></body></html>\n"
    )


def _tiles(snapshots: Sequence[Snapshot], fired: Sequence[Episode]) -> str:
    requests = sum(seen.requests for seen in snapshots)
    failed = sum(seen.requests * (1 - seen.success_rate) for seen in snapshots)
    audio_h = sum(seen.rtfx * seen.interval_s for seen in snapshots) / 3600
    healthy = statistics.fmean(seen.health is Health.HEALTHY for seen in snapshots)
    slowest = max((seen.latency_s.p95 for seen in snapshots if seen.latency_s), default=None)
    tiles = [
        ("requests", f"{requests:,}", False),
        (
            "answered well",
            f"{1 - failed / requests:.2%}" if requests else "none",
            failed / max(requests, 1) > 0.01,
        ),
        ("worst p95", "none" if slowest is None else duration(slowest), False),
        ("hours of audio", f"{audio_h:,.1f}", False),
        ("of the time healthy", f"{healthy:.1%}", healthy < 0.99),
        ("alerts", str(len(fired)), bool(fired)),
    ]
    shown = (
        f'<div class="tile{" bad" if bad else ""}"><b>{value}</b><span>{name}</span></div>'
        for name, value, bad in tiles
    )
    return f'<div class="tiles">{"".join(shown)}</div>'


def _course(over: Columns, fired: Sequence[Episode]) -> str:
    names = dict.fromkeys(episode.name for episode in fired)
    rows = [Row("health", [_health_cell(looks) for looks in over.looks])]
    rows += [
        Row(name, [_alert_cell(name, looks) for looks in over.looks])
        for name in names  # in the order in which they first fired
    ]
    title = "Health and alerts"
    legend = [("good", "healthy"), ("warn", "degraded"), ("bad", "unhealthy, or an alert fires")]
    return _figure(title, Chart(title, over, _WIDE).strips(rows), legend, wide=True)


def _traffic(over: Columns) -> list[str]:
    failed = over.worst(lambda seen: 1 - seen.success_rate if seen.requests else None)
    waiting = [
        Line("jobs waiting", over.worst(lambda seen: seen.queue.waiting_jobs), 0),
        Line("jobs running", over.worst(lambda seen: seen.queue.running_jobs), 3),
        Line("segments waiting", over.worst(lambda seen: seen.queue.segments_waiting), 1),
    ]
    return [
        _lines(
            "Requests per second", over, [Line("requests/s", over.mean(lambda seen: seen.requests_per_s))]
        ),
        _lines(
            "Audio recognised, times real time", over, [Line("RTFx", over.mean(lambda seen: seen.rtfx), 3)]
        ),
        _lines("What waits", over, waiting),
        _lines("Requests that failed by the service's fault", over, [Line("failed", failed, 5)], _FEW),
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
        _lines("Latency of transcripts", over, answers, _DURATIONS),
        _lines("95th percentile of each stage", over, stages, _DURATIONS),
    ]


def _instances(over: Columns) -> str:
    names = dict.fromkeys(one.name for looks in over.looks for seen in looks for one in seen.instances)
    rows = [
        Row(name, [_busy_cell(name, looks) for looks in over.looks]) for name in sorted(names, key=_number)
    ]
    title = "How busy each instance was"
    legend = [("busy", "busy"), ("empty", "idle"), ("bad", "lost or in error")]
    return _figure(title, Chart(title, over, _WIDE).strips(rows), legend, wide=True)


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
        _lines("The machine", over, used, _SHARES),
        _lines("Memory of the instances, MiB", over, rss),
    ]


def _gpu_memory(seen: Snapshot) -> float | None:
    return _mean([gpu.memory_mb / gpu.memory_total_mb for gpu in seen.gpus])


def _alerts(fired: Sequence[Episode]) -> str:
    if not fired:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{local(one.from_ms):%d %b %H:%M:%S}</td>"
        f"<td>{_lasted(one)}</td></tr>"
        for one in fired
    )
    head = "<tr><th>alert</th><th>fired</th><th>for</th></tr>"
    return f'<section class="wide"><h2>Alerts</h2><table>{head}{rows}</table></section>'


def _lasted(one: Episode) -> str:
    return "still firing" if one.until_ms is None else duration((one.until_ms - one.from_ms) / 1000)


def _lines(title: str, over: Columns, drawn: Sequence[Line], axis: Axis = _NUMBERS) -> str:
    known = [value for line in drawn for value in line.values if value is not None]
    scale = powers(known) if axis.powers else even(known, axis.least)
    legend = [(f"c{line.colour}", line.name) for line in drawn] if len(drawn) > 1 else []
    return _figure(title, Chart(title, over, _NARROW).lines(drawn, scale, axis.write), legend)


def _figure(title: str, svg: str, legend: Sequence[tuple[str, str]], *, wide: bool = False) -> str:
    keys = "".join(f'<span><i class="{kind}"></i>{escape(name)}</span>' for kind, name in legend)
    return (
        f"<figure{' class=wide' if wide else ''}><figcaption><h2>{escape(title)}</h2>"
        f'<div class="legend">{keys}</div></figcaption>{svg}</figure>'
    )


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


def _number(name: str) -> tuple[int, str]:
    return len(name), name  # instance-10 after instance-9
