"""`python -m loadtest.capacity.measure`: the figures of this machine, for `plan --measured FILE`."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from actors import devices
from actors.clock import now_ms
from deploy.client import NotServed
from deploy.paths import HOME
from loadtest.bench import full_size, services, speech
from loadtest.capacity import engine_times, measured, runs, service_costs
from loadtest.capacity.effort import QUICK, USUAL, Effort
from loadtest.capacity.measured import BadFigures, Measured, Run
from loadtest.capacity.runs import Setup
from loadtest.target import commit, hardware

CANNOT_RUN: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the file, and return the exit status."""
    asked = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C, so that no server is left behind
        signal.signal(number, signal.default_int_handler)
    model = _model(asked.model)
    with tempfile.TemporaryDirectory(prefix="quintet-capacity-") as name:
        folder = Path(name)
        try:
            found = measured.read(asked.out) if asked.add else _costs(folder, model, asked.effort)
            measured.write(asked.out, found)
            for instances in asked.instances:
                for _ in range(asked.rounds):
                    found = _with_runs(found, Setup(folder, model, instances, _clips(folder)), asked.effort)
                    measured.write(asked.out, found)
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            return INTERRUPTED
        except (BadFigures, NotServed, OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return CANNOT_RUN
        finally:
            services.stop_left(folder)
    print(asked.out)
    return 0


def _costs(folder: Path, model: str, effort: Effort) -> Measured:
    engines = engine_times.measure(model, devices.cores(), effort.engine_s)
    found = service_costs.measure(folder, model, engines[0], effort)
    return Measured(
        commit=commit(),
        hardware=hardware(),
        model=Path(model).name,
        began_ms=now_ms(),
        costs=found.costs,
        engines=engines,
        crowding=found.crowding,
        redis_per_instance=found.redis_per_instance,
        recordings=runs.recordings(_clips(folder)),
    )


def _model(asked: str) -> str:
    """As `ASR_MODEL` takes it; random weights at full size where nobody says."""
    if not asked:
        return str(full_size.kept())
    return str(Path(asked).resolve()) if Path(asked).exists() else asked


def _with_runs(found: Measured, setup: Setup, effort: Effort) -> Measured:
    """With another round of the loads on so many instances."""
    known = [run for run in found.runs if run.instances == setup.instances]
    rates = [run.rate_per_s for run in known if not run.users]
    saturated_per_s = rates[0] / effort.loads[0] if rates else None
    new = runs.measure(setup, effort, saturated_per_s)
    return replace(found, runs=_merged(found.runs, new))


def _merged(known: Sequence[Run], new: Iterable[Run]) -> tuple[Run, ...]:
    """The rounds of a load together."""
    by_load = {_load(run): run for run in known}
    for run in new:
        before = by_load.get(_load(run))
        by_load[_load(run)] = run if before is None else _both(before, run)
    return tuple(sorted(by_load.values(), key=lambda run: (run.instances, run.rate_per_s)))


def _load(run: Run) -> tuple[object, ...]:
    return (run.instances, run.users, run.requests_per_user, run.rate_per_s, run.duration_s, run.seed)


def _both(before: Run, after: Run) -> Run:
    return replace(
        before,
        rtfx=before.rtfx + after.rtfx,
        p50_s=before.p50_s + after.p50_s,
        p95_s=before.p95_s + after.p95_s,
    )


def _clips(folder: Path) -> Path:
    made = folder / "clips"
    return made if made.is_dir() else speech.clips(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.capacity.measure", description="What this machine's figures are."
    )
    parser.add_argument("--out", type=Path, default=HOME / "loadtest_reports" / "capacity.json")
    parser.add_argument("--model", default="", metavar="MODEL", help="as ASR_MODEL; else random weights")
    parser.add_argument("--add", action="store_true", help="keep what is there, and add runs")
    parser.add_argument(
        "--instances", type=_numbers, default=(), metavar="N,…", help="what the simulation is checked with"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--quick",
        dest="effort",
        action="store_const",
        const=QUICK,
        default=USUAL,
        help="see that it runs, no more",
    )
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
