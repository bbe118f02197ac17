"""The plan in a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from loadtest.capacity.demand import Demand
from loadtest.capacity.gpus import Origin
from loadtest.capacity.sizing import Needed, Plan
from monitoring.axes import duration

#: Of the table from 100 to 100 million hours.
HEADINGS: Final = ("hours", "req/s", "machines", "API", "cores", "Gbit/s", "GB", "limit", "cells")


def show(plan: Plan, console: Console) -> None:
    """Print it."""
    console.print(Panel(Group(_needed(plan)), title=_title(plan), title_align="left", border_style="cyan"))
    console.print(_scale(plan))
    for note in notes(plan):
        console.print(Text(f"· {note}", style="dim"))


def notes(plan: Plan) -> Iterator[str]:
    """What the figures rest on."""
    yield f"Everything but the GPU: measured on {plan.source}."
    if plan.speed:
        style = plan.speed.origin
        yield f"{plan.machine.gpu.upper()}: {plan.speed.rtfx:,.0f} RTFx, {style}: {plan.speed.source}."
        if plan.speed.origin is not Origin.MEASURED:
            yield "./justw bench --only cuda_engine,cuda_http measures yours; --measured FILE plans with it."
    else:
        yield f"That {plan.machine.cores} cores do {plan.machine.cores / 2:g} times what two did is assumed."
    yield "Cells are whole installations with a Redis each; docs/capacity.md says how jobs find theirs."


def _title(plan: Plan) -> str:
    demand = plan.demand
    device = plan.machine.gpu.upper() or "CPU"
    return (
        f"[bold]{demand.hours_per_day:,.0f} hours of audio a day[/bold] on {device}, "
        f"p95 ≤ {duration(demand.p95_s)}"
    )


def _needed(plan: Plan) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", style="cyan", no_wrap=True)
    table.add_column(style="dim")
    for name, value, why in _lines(plan):
        table.add_row(name, value, why)
    return table


def _lines(plan: Plan) -> Iterator[tuple[str, str, str]]:
    needed, machine, bears, redis = plan.needed, plan.machine, plan.machine.bears, plan.needed.redis
    yield "load at the peak", f"{needed.peak_rtfx:,.0f} RTFx", _load(plan.demand, needed)
    each = f"{machine.cores} cores each" + (f", and one {machine.gpu.upper()}" if machine.gpu else "")
    yield "machines", f"{needed.machines:,}", f"{each}; {needed.spare} to spare"
    of = f"of {bears.saturated_rtfx:,.0f} at saturation"
    yield "one of them bears", f"{bears.rtfx:,.0f} RTFx", of
    if bears.p95_s is not None and bears.p50_s is not None:
        yield "then p95", duration(bears.p95_s), f"p50 {duration(bears.p50_s)}; simulated"
    yield "instances", f"{needed.instances:,}", f"{machine.instances} a machine"
    yield "segmenters", f"{needed.segmenters:,}", f"{machine.segmenters} a machine"
    yield "API processes", f"{needed.api_processes:,}", "a core each, behind a balancer"
    yield "cores in all", f"{needed.vcpus:,}", "one for each Redis included"
    yield "Redis", f"{redis.cores:.3g} cores", f"{redis.commands_per_s:,.0f} commands/s, scripts' included"
    yield "its network", f"{redis.gbit_per_s:.3g} Gbit/s", "the fuller direction"
    yield "its memory", f"{redis.memory_gb:,.3g} GB", f"{redis.kept_gb:,.3g} of it results that are kept"
    enough = f"one is enough for {round(plan.one_redis_hours_per_day, -3):,.0f} hours a day"
    yield "cells", f"{needed.cells:,}", f"{enough}; first to run out: {needed.bottleneck}"
    used = [f"{needed.vcpu_hours:.2g} core hours"]
    if plan.speed:
        used.insert(0, f"{needed.gpu_hours:.2g} GPU hours")
    price = "no price given" if needed.cost is None else f"{needed.cost:.2g}"
    yield "an audio hour costs", price, " and ".join(used)


def _load(demand: Demand, needed: Needed) -> str:
    kinds = ", ".join(f"{kind.share:.0%} of {duration(kind.length_s)}" for kind in demand.mix)
    return f"{needed.requests_per_s:,.3g} requests/s; {demand.peak:g} times the mean; {kinds}"


def _scale(plan: Plan) -> Table:
    table = Table(
        title="From 100 to 100 million hours a day; cores, Gbit/s and GB are those of Redis",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in HEADINGS:
        style = "cyan" if name == "cells" else None
        table.add_column(name, justify="right", style=style, no_wrap=True)
    for one in plan.scale:
        table.add_row(*cells(one))
    return table


def cells(one: Needed) -> list[str]:
    """A line of the table from 100 to 100 million."""
    return [
        _short(one.hours_per_day),
        _short(one.requests_per_s),
        _short(one.machines),
        _short(one.api_processes),
        _short(one.redis.cores),
        _short(one.redis.gbit_per_s),
        _short(one.redis.memory_gb),
        one.bottleneck,
        _short(one.cells),
    ]


def _short(value: float) -> str:
    """Two digits at least, and thousands and millions by their letters."""
    if value >= 1e6:
        return f"{value / 1e6:,.3g}M"
    if value >= 1e4:
        return f"{value / 1e3:,.3g}k"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
