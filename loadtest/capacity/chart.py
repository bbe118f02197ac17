"""`python -m loadtest.capacity.chart`: the scaling curve, simulated, with what was measured on it."""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from deploy.paths import HOME
from loadtest.capacity import measured
from loadtest.capacity.measured import Measured, Run
from loadtest.capacity.simulation.hosts import cpu_host
from loadtest.capacity.simulation.pipeline import Service, closed_loop
from loadtest.capacity.validation import order, rtfx
from loadtest.percentiles import percentile
from monitoring.axes import duration, even
from monitoring.charts import Chart, Line
from monitoring.sheet import style

FOLDER: Final = HOME / "docs" / "capacity"

#: Columns of the charts.
MOST_INSTANCES: Final = 10

#: Users for each instance where every one has a core of its own.
USERS_EACH: Final = 6

_WIDTH: Final = 720

#: What was measured is drawn as dots.
_POINTS: Final = ".line.c1 { stroke-width: 9; }"
_HEADING: Final = 26


class Instances(Struct, frozen=True):
    """Numbers of instances, from one."""

    count: int

    def marks(self, most: int) -> list[tuple[float, str]]:
        """Each, or as many as there is room for."""
        step = -(-self.count // most)
        return [(at + 0.5, str(at + 1)) for at in range(0, self.count, step)]

    def said(self, column: int) -> str:
        """How many."""
        return f"{column + 1} instances"


def charts(found: Measured) -> Mapping[str, str]:
    """Name of a file → its drawing."""
    closed = {run.instances: run for run in found.runs if run.users}
    counts = range(1, MOST_INSTANCES + 1)
    users = max(run.users for run in closed.values())
    requests = next(run.requests_per_user for run in closed.values())
    cores = found.hardware.cores
    # Fewer instances than cores have several threads each, which may not have been measured.
    shared = [
        _loaded(found, count, cores, users, requests) if count >= found.fewest(cores) else None
        for count in counts
    ]
    each = [_loaded(found, count, count, USERS_EACH * count, requests) for count in counts]
    return {
        "throughput.svg": drawing(
            "Throughput at saturation, RTFx",
            [
                Line(f"{cores} cores, simulated", [rtfx(one) if one else None for one in shared]),
                *_dots(f"{cores} cores, measured", closed, lambda run: run.rtfx),
            ],
            "{:,.0f}".format,
        ),
        "scaling.svg": drawing(
            "Throughput at saturation where each instance has a core, RTFx",
            [
                Line("simulated", [rtfx(one) for one in each]),
                *_dots("measured", {cores: closed[cores]} if cores in closed else {}, lambda run: run.rtfx),
            ],
            "{:,.0f}".format,
        ),
        "latency.svg": drawing(
            f"p95 of {users} users who send one recording after the other",
            [
                Line(f"{cores} cores, simulated", [_p95_s(one) if one else None for one in shared]),
                *_dots(f"{cores} cores, measured", closed, lambda run: run.p95_s),
            ],
            duration,
        ),
    }


def drawing(title: str, lines: Sequence[Line], write: Callable[[float], str]) -> str:
    """A chart that stands by itself: its heading, what its lines are, and its colours."""
    chart = Chart(title, Instances(MOST_INSTANCES), _WIDTH)
    known = [value for line in lines for value in line.values if value is not None]
    svg = chart.lines(lines, even(known), write)
    head, _, body = svg.partition(">")
    height = float(head.partition('viewBox="')[2].split()[3].partition('"')[0])
    named = {line.name: line.colour for line in lines if line.name}
    legend = " · ".join(
        f'<tspan class="c{colour}" fill="currentColor">{name}</tspan>' for name, colour in named.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height + 2 * _HEADING:g}" '
        f'role="img" aria-label="{title}">'
        f"<style>{style()} text {{ font-family: system-ui, sans-serif; }} {_POINTS}</style>"
        f'<text x="8" y="18" style="font-weight:600">{title}</text><text x="8" y="36">{legend}</text>'
        f'<g transform="translate(0 {2 * _HEADING})">{body.removesuffix("</svg>")}</g></svg>\n'
    )


def _dots(name: str, runs: Mapping[int, Run], rounds: Callable[[Run], Sequence[float]]) -> list[Line]:
    """A line for each measured number, so that nothing is drawn between two."""
    lines = list[Line]()
    for count, run in runs.items():
        if not rounds(run):
            continue
        values: list[float | None] = [None] * MOST_INSTANCES
        values[count - 1] = statistics.median(rounds(run))
        lines.append(Line(name, values, 1))
    return lines


def _loaded(found: Measured, instances: int, cores: int, users: int, requests: int) -> Service:
    host = cpu_host(found, instances, cores=cores, segmenters=max(1, cores // 4), load=True)
    if cores >= instances:
        host = replace(host, engine=found.engine(cores // instances))
    return closed_loop(host, order(found.recordings, 0), users, requests)


def _p95_s(service: Service) -> float:
    return percentile(sorted(one.latency_s for one in service.served), 0.95)


def main(folder: Path = FOLDER) -> int:
    """Draw them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawn in charts(measured.read()).items():
        (folder / name).write_text(drawn, encoding="utf-8")
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
