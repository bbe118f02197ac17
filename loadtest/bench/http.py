"""The whole service beside FunASR's server: full size, ten users with clips of 5 to 15 s."""

import functools
import statistics
from pathlib import Path
from typing import Final

from loadtest.bench import full_size, services, speech
from loadtest.bench.rows import Found, Size
from loadtest.versus import servers
from loadtest.versus.comparison import ratio
from loadtest.versus.measuring import in_turn
from loadtest.versus.measuring import measure as measure_load

#: Users, requests of each, and rounds.
SIZES: Final = {Size.QUICK: (1, 1, 1), Size.USUAL: (10, 3, 2), Size.FULL: (10, 6, 3)}

#: What each server is asked at first, so that every instance is warm.
WARMING_REQUESTS: Final = 2


def measure(size: Size, folder: Path) -> Found:
    """Both stay loaded, one is idle while the other is measured.

    Raises:
        NotServed: one of them cannot be started or asked.
    """
    users, requests, rounds = SIZES[size]
    model, clips = full_size.kept(), speech.clips(folder)
    with (
        services.service(folder, str(model), request_timeout_s=3600) as ours,  # so that nobody is refused
        servers.funasr_server(model) as theirs,
    ):
        for url in (ours.url, theirs.url):
            measure_load(url, services.INSTANCES, WARMING_REQUESTS if size is not Size.QUICK else 1, clips)
        load = functools.partial(measure_load, users=users, requests_per_user=requests, recordings=clips)
        found = list(in_turn(ours.url, theirs.url, rounds, load))
    ours_failed = sum(one.ours.failed for one in found)
    theirs_failed = sum(one.theirs.failed for one in found)
    return Found(
        values={
            "throughput_ratio": ratio(found, lambda one: one.rtfx).median,
            "p95_ratio": ratio(found, lambda one: one.p95_s).median,
            "rtfx": statistics.median(one.ours.rtfx for one in found),
        },
        how=f"{users} users with {requests} requests each, clips of 5 to 15 s, {rounds} rounds in turn with "
        f"{theirs.name}, medians; failed: {ours_failed} of ours, {theirs_failed} of theirs",
    )
