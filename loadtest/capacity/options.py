"""The command line of the plan."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from deploy.paths import HOME
from loadtest.bench.check import BadBaseline
from loadtest.bench.check import read as read_bench
from loadtest.bench.rows import Bench
from loadtest.capacity import gpus, measured
from loadtest.capacity.cells import RedisServer
from loadtest.capacity.demand import HOUR_S, MIXES, BadDemand, Demand, duration_s, mix
from loadtest.capacity.gpus import Origin, Speed
from loadtest.capacity.measured import BadFigures, Measured
from loadtest.capacity.sizing import Prices, Wanted

#: The device that is none.
CPU: Final = "cpu"

#: Cores of a machine without a GPU, where nobody says.
CPU_CORES: Final = 8

#: Option → the least and the most that it may be.
_RANGES: Final = {
    "hours_per_day": (1, 1e9),
    "peak": (1, 100),
    "spare": (0, 1000),
    "cores": (0, 1024),
    "gpu_rtfx": (0, 1e6),
    "gpu_hour": (0, 1e4),
    "vcpu_hour": (0, 1e3),
    "redis_gb": (1, 1e5),
    "redis_gbit": (0.1, 1e4),
}


class Asked(Struct, frozen=True):
    """What was asked for, and what it is answered from."""

    wanted: Wanted
    measured: Measured
    json: bool


def parse(arguments: Sequence[str] | None = None) -> Asked:
    """Read the command line.

    Raises:
        BadDemand: a value means nothing.
        BadFigures: a file has no figures.
        SystemExit: as argparse has it.
    """
    said = _parser().parse_args(arguments)
    for name, (least, most) in _RANGES.items():
        value = getattr(said, name)
        if value is not None and not least <= value <= most:
            raise BadDemand(
                f"--{name.replace('_', '-')} must be from {least:,g} to {most:,.12g}, not {value:,.12g}"
            )
    found, bench = _figures(said.calling_folder / said.measured if said.measured else None)
    gpu = said.gpu.lower()
    speed = None if gpu == CPU else _speed(gpu, said.gpu_rtfx, bench)
    wanted = Wanted(
        demand=Demand(
            hours_per_day=said.hours_per_day,
            peak=said.peak,
            p95_s=duration_s(said.p95),
            mix=mix(said.mix),
        ),
        gpu=gpu,
        speed=speed,
        cores=said.cores or (0 if speed else CPU_CORES),
        spare=said.spare,
        prices=Prices(said.gpu_hour, said.vcpu_hour),
        server=RedisServer(memory_gb=said.redis_gb, gbit_per_s=said.redis_gbit),
        kept_h=duration_s(said.keep) / HOUR_S,
        waits_s=duration_s(said.backlog),
    )
    return Asked(wanted, found, said.json)


def _speed(gpu: str, rtfx: float, bench: Bench | None) -> Speed:
    """Of a GPU: what the user has measured goes before what others have published."""
    if rtfx:
        return Speed(rtfx=rtfx, origin=Origin.MEASURED, source="--gpu-rtfx")
    for row in bench.rows if bench else ():
        if row.name == "cuda_engine" and "rtfx" in row.found.values:
            named = ", ".join(bench.hardware.gpus) if bench else ""
            return Speed(
                rtfx=row.found.values["rtfx"],
                origin=Origin.MEASURED,
                source=f"./justw bench, commit {bench.commit if bench else ''}, {named}",
            )
    if gpu not in gpus.DENSE_TFLOPS:
        raise BadDemand(
            f"nothing is known of the GPU {gpu!r}: it is {CPU}, {', '.join(gpus.DENSE_TFLOPS)}, "
            "or any with --gpu-rtfx"
        )
    return gpus.speed(gpu)


def _figures(path: Path | None) -> tuple[Measured, Bench | None]:
    """Those of a file, or the recorded ones and a bench table."""
    if path is None:
        return measured.read(), None
    try:
        return measured.read(path), None
    except BadFigures:
        try:
            bench = read_bench(path)
        except BadBaseline as error:
            raise BadFigures(
                f"{path} is neither of loadtest.capacity.measure nor of ./justw bench: {error}"
            ) from error
        return _scaled(measured.read(), bench), bench


def _scaled(found: Measured, bench: Bench) -> Measured:
    """The recorded figures with engines as fast, by core, as the bench's bare one."""
    theirs = {name: value for row in bench.rows for name, value in row.found.values.items()}
    if "bare_rtfx" not in theirs:
        return found
    one = found.engine(1)
    ours_rtfx = 1 / (one.per_audio_s + (one.per_batch_s + one.per_row_s) / _BENCH_BATCH_S)
    factor = ours_rtfx * bench.hardware.cores / theirs["bare_rtfx"]
    engines = tuple(
        msgspec.structs.replace(
            engine,
            per_batch_s=engine.per_batch_s * factor,
            per_row_s=engine.per_row_s * factor,
            per_audio_s=engine.per_audio_s * factor,
        )
        for engine in found.engines
    )
    return msgspec.structs.replace(found, engines=engines)


#: Seconds of speech in a batch of the bench's bare engine, which are as full as `CPU_LIMITS` lets them be.
_BENCH_BATCH_S: Final = 18.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./justw plan",
        description="How many instances, machines and Redis servers a load takes, from measured figures.",
        epilog="docs/capacity.md says how it is reckoned, and how sure it is.",
    )
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("--hours-per-day", type=float, required=True, metavar="HOURS", help="of audio")
    parser.add_argument(
        "--p95", default="2s", metavar="TIME", help="limit for recordings of a minute at most, 2s"
    )
    parser.add_argument(
        "--gpu", default=CPU, metavar="NAME", help=f"{CPU} (the default), {', '.join(gpus.DENSE_TFLOPS)}"
    )
    parser.add_argument(
        "--mix", default="mixed", help=f"{', '.join(MIXES)}, or shares of the audio: {MIXES['mixed']}"
    )
    parser.add_argument("--peak", type=float, default=2.0, help="busiest time of a day ÷ its mean, 2")
    parser.add_argument("--spare", type=int, default=1, metavar="N", help="machines that may fail, 1")
    parser.add_argument("--cores", type=int, default=0, help=f"of a machine; {CPU_CORES} without a GPU")
    parser.add_argument("--gpu-rtfx", type=float, default=0, metavar="RTFX", help="your GPU's, measured")
    parser.add_argument("--gpu-hour", type=float, default=0, metavar="PRICE", help="of a GPU")
    parser.add_argument("--vcpu-hour", type=float, default=0, metavar="PRICE", help="of a core")
    parser.add_argument("--keep", default="24h", metavar="TIME", help="for which results are kept, 24h")
    parser.add_argument("--backlog", default="5min", metavar="TIME", help="of the peak that may wait, 5min")
    parser.add_argument("--redis-gb", type=float, default=64, metavar="GB", help="memory of a Redis, 64")
    parser.add_argument("--redis-gbit", type=float, default=10, metavar="GBIT", help="its network, 10")
    parser.add_argument(
        "--measured",
        type=Path,
        metavar="FILE",
        help="figures of your own: of python -m loadtest.capacity.measure, or of ./justw bench",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser
