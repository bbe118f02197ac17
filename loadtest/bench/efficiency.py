"""How much of the bare engine's speed is left over HTTP, when there is always more to do."""

import statistics
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from actors import devices
from loadtest.bench import full_size, services, speech
from loadtest.bench.bare import crew
from loadtest.bench.looks import Look, Spent, saturated
from loadtest.bench.profile import Profile
from loadtest.bench.rows import Found, Size
from loadtest.bench.services import Service
from loadtest.versus.measuring import measure as measure_load

if TYPE_CHECKING:
    from loadtest.report import Report

#: Users, requests of each, and rounds.
SIZES: Final = {Size.QUICK: (2, 8, 1), Size.USUAL: (12, 8, 2), Size.FULL: (12, 16, 3)}

#: Between two looks; the instances say once a second what they have done.
LOOK_S: Final = 0.25

#: The program that sends the requests; none of the service's, but on the same cores.
LOAD: Final = "the load itself"


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
    served, alone, split = list[Profile](), list[float](), list[float]()
    with (
        crew(model, rows, 1, cores) as one_process,
        crew(model, rows, cores, 1) as one_each,
        services.service(folder, str(model), request_timeout_s=3600) as service,
    ):
        measure_load(service.url, services.INSTANCES, 1, clips)  # so that every instance is warm
        for _ in range(rounds):
            served.append(_served(service, users, requests, clips))
            alone.append(one_process.rtfx())
            split.append(one_each.rtfx())
    bare = [max(pair) for pair in zip(alone, split, strict=True)]
    rtfx = [one.audio_s / one.wall_s for one in served]
    return Found(
        values={
            "ratio": statistics.median(ours / theirs for ours, theirs in zip(rtfx, bare, strict=True)),
            "http_rtfx": statistics.median(rtfx),
            "bare_rtfx": statistics.median(bare),
            "batch_rows": statistics.median(one.batch_rows for one in served),
            "engine_share": 100 * statistics.median(one.engine_share for one in served),
        },
        profile=served[-1],
        how=f"{users} users with {requests} requests each; bare: one process with {cores} threads "
        f"({statistics.median(alone):.1f}) or {cores} with one ({statistics.median(split):.1f}), the "
        f"faster one; seconds of speech as it was cut, {rounds} rounds in turn, medians",
    )


def _served(service: Service, users: int, requests: int, clips: Path) -> Profile:
    """What the service does between the first and the last moment with half the users' recordings in it."""
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(measure_load, service.url, users, requests, clips)
        looks = _looks(service, load)
        load.result()
    cores = devices.cores()
    first, last = saturated(looks, (users + 1) // 2)
    return Profile.between(first, last, cores=cores, engine_threads=max(1, cores // services.INSTANCES))


def _looks(service: Service, load: "Future[Report]") -> list[Look]:
    found, programs, measuring = [], service.programs(), psutil.Process()
    instances = [name for name in programs if name.startswith("instance-")]
    with service.client() as http:
        while not load.done():
            senders = [measuring, *measuring.children()]
            spent = Spent.of({**programs, LOAD: senders}, instances)
            found.append(Look(at_s=time.perf_counter(), metrics=services.metrics(http), spent=spent))
            time.sleep(LOOK_S)
    return found
