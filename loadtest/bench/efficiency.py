"""How much of the bare engine's speed is left over HTTP, when there is always more to do."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from actors import devices
from actors.metrics import AUDIO_S
from loadtest.bench import full_size, services, speech
from loadtest.bench.bare import crew
from loadtest.bench.rows import Found, Size
from loadtest.bench.services import Service
from loadtest.versus.measuring import measure as measure_load

if TYPE_CHECKING:
    from loadtest.report import Report

#: Users, requests of each, and rounds.
SIZES: Final = {Size.QUICK: (2, 2, 1), Size.USUAL: (12, 3, 2), Size.FULL: (12, 8, 3)}

#: Between two looks; the instances say once a second what they have done.
LOOK_S: Final = 0.25


class Progress(Struct, frozen=True):
    """What has been recognised at a moment, and how many recordings are not done."""

    at_s: float
    audio_s: float
    in_flight: int


def measure(size: Size, folder: Path) -> Found:
    """Service and bare engine in turn, on the same speech and cores.

    Raises:
        NotServed: the service cannot be started or asked.
    """
    users, requests, rounds = SIZES[size]
    model, cores = full_size.kept(), devices.cores()
    clips = speech.clips(folder)
    rows = speech.cut([speech.read(path) for path in sorted(clips.iterdir())])
    rows = rows if size is not Size.QUICK else rows[: 2 * cores]
    served, alone, split = list[float](), list[float](), list[float]()
    with (
        crew(model, rows, 1, cores) as one_process,
        crew(model, rows, cores, 1) as one_each,
        services.service(folder, str(model), request_timeout_s=3600) as service,
    ):
        measure_load(service.url, services.INSTANCES, 1, clips)  # so that every instance is warm
        for _ in range(rounds):
            served.append(_served_rtfx(service, users, requests, clips))
            alone.append(one_process.rtfx())
            split.append(one_each.rtfx())
    bare = [max(pair) for pair in zip(alone, split, strict=True)]
    return Found(
        values={
            "ratio": statistics.median(ours / theirs for ours, theirs in zip(served, bare, strict=True)),
            "http_rtfx": statistics.median(served),
            "bare_rtfx": statistics.median(bare),
        },
        how=f"{users} users with {requests} requests each; bare: one process with {cores} threads "
        f"({statistics.median(alone):.1f}) or {cores} with one ({statistics.median(split):.1f}), the "
        f"faster one; seconds of speech as it was cut, {rounds} rounds in turn, medians",
    )


def saturated_rtfx(looks: Sequence[Progress], least_in_flight: int) -> float:
    """Seconds of speech per second from the first to the last look at which so many were in flight.

    Raises:
        ValueError: there were not two.
    """
    busy = [look for look in looks if look.in_flight >= least_in_flight]
    if len(busy) < 2:
        raise ValueError(f"fewer than two looks with {least_in_flight} recordings in flight")
    return (busy[-1].audio_s - busy[0].audio_s) / (busy[-1].at_s - busy[0].at_s)


def _served_rtfx(service: Service, users: int, requests: int, clips: Path) -> float:
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(measure_load, service.url, users, requests, clips)
        looks = _looks(service, load)
        load.result()
    return saturated_rtfx(looks, (users + 1) // 2)


def _looks(service: Service, load: "Future[Report]") -> list[Progress]:
    found = []
    with service.client() as http:
        while not load.done():
            seen = services.metrics(http)
            in_flight = seen.value("asr_jobs_waiting") + seen.value("asr_jobs_running")
            found.append(Progress(time.perf_counter(), seen.value(AUDIO_S.name), int(in_flight)))
            time.sleep(LOOK_S)
    return found
