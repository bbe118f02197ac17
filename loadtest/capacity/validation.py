"""`python -m loadtest.capacity.validation`: the simulation beside what was measured."""

import itertools
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct

from loadtest.capacity import measured
from loadtest.capacity.measured import Measured, Recording, Run
from loadtest.capacity.simulation.hosts import cpu_host
from loadtest.capacity.simulation.pipeline import Due, Service, closed_loop, open_loop
from loadtest.load.arrivals import arrivals
from loadtest.percentiles import percentile
from loadtest.plan import Plan

#: The error that is aimed at.
AIM: Final = 0.15


class Figure(Struct, frozen=True):
    """A figure of a load, measured and simulated."""

    name: str
    measured: float
    simulated: float

    @property
    def error(self) -> float:
        """By how much the simulation is off."""
        return self.simulated / self.measured - 1


class Check(Struct, frozen=True):
    """A load, and its figures."""

    run: Run
    figures: tuple[Figure, ...]


def checks(found: Measured) -> Iterator[Check]:
    """Every load that was measured; throughput of those that saturate, latency of all."""
    for run in found.runs:
        service = simulated(found, run)
        latencies = sorted(one.latency_s for one in service.served)
        found_here = {
            "RTFx": (run.rtfx if run.users else (), rtfx(service)),
            "p50": (run.p50_s, percentile(latencies, 0.5)),
            "p95": (run.p95_s, percentile(latencies, 0.95)),
        }
        figures = [
            Figure(name, statistics.median(rounds), simulated_as)
            for name, (rounds, simulated_as) in found_here.items()
            if rounds
        ]
        yield Check(run, tuple(figures))


def simulated(found: Measured, run: Run) -> Service:
    """The same recordings at the same times on the same cores."""
    host = cpu_host(found, run.instances, cores=found.hardware.cores, load=True)
    recordings = order(found.recordings, run.seed)
    if run.users:
        return closed_loop(host, recordings, run.users, run.requests_per_user)
    plan = Plan(seed=run.seed, rate_per_s=run.rate_per_s, duration_s=run.duration_s)
    dues = [Due(at_s, next(recordings)) for at_s in arrivals(plan, run.rate_per_s)]
    return open_loop(host, dues)


def order(known: Sequence[Recording], seed: int) -> Iterator[Recording]:
    """The recordings as `loadtest.load.session` sends them, for ever."""
    permuted = np.random.default_rng(seed).permutation(len(known))
    return itertools.cycle([known[at] for at in permuted])


def rtfx(service: Service) -> float:
    """Seconds of recordings answered per second, from the first to the last."""
    served = service.served
    took_s = max(one.ended_s for one in served) - min(one.due_s for one in served)
    return sum(one.recording.audio_s for one in served) / took_s


def markdown(found: Measured, compared: Sequence[Check]) -> str:
    """A line for each load."""
    lines = [
        "| instances | load | figure | measured (each round) | simulated | error |",
        "|---:|---|---|---:|---:|---:|",
    ]
    for check in compared:
        name = _load(check.run)
        for figure in check.figures:
            rounds = {"RTFx": check.run.rtfx, "p50": check.run.p50_s, "p95": check.run.p95_s}[figure.name]
            shown = ", ".join(_number(figure.name, value) for value in rounds)
            median, simulated_as = (_number(figure.name, v) for v in (figure.measured, figure.simulated))
            lines.append(
                f"| {check.run.instances} | {name} | {figure.name} | {median} ({shown}) "
                f"| {simulated_as} | {figure.error:+.0%} |"
            )
            name = ""
    errors = [abs(figure.error) for check in compared for figure in check.figures]
    within = sum(error <= AIM for error in errors)
    median_error = f"{statistics.median(errors):.0%}"
    lines += [
        "",
        f"{within} of {len(errors)} figures are within {AIM:.0%}; the median error is {median_error}.",
    ]
    lines += [f"Simulated with the costs of {found.source}."]
    return "\n".join(lines)


def _number(name: str, value: float) -> str:
    return f"{value:.0f}" if name == "RTFx" else f"{value:.2f} s"


def _load(run: Run) -> str:
    return f"{run.users} users" if run.users else f"{run.rate_per_s:g}/s"


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else measured.RECORDED
    known = measured.read(path)
    print(markdown(known, list(checks(known))))
