"""Whether a job costs more when ten thousand wait than when ten do."""

import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from msgspec import Struct

from loadtest.bench import services, speech
from loadtest.bench.rows import Found, Size
from loadtest.bench.services import Service

#: Jobs of the long backlog, and how many are accepted one after the other to see what that takes.
SIZES: Final = {Size.QUICK: (120, 10), Size.USUAL: (10_000, 200), Size.FULL: (10_000, 200)}

FEW: Final = 10

CLIP_S: Final = 0.25

#: Uploads at the same time while the backlog grows.
THREADS: Final = 4

LOOK_S: Final = 0.25

#: Which jobs of the backlog, in the order in which they end, are finished while most of them wait, and
#: which while few do.
MANY_WAIT: Final = (0.05, 0.25)
FEW_WAIT: Final = (0.75, 0.95)


class Ended(Struct, frozen=True):
    """How many jobs have ended at a moment."""

    at_s: float
    jobs: float


def measure(size: Size, folder: Path) -> Found:
    """Jobs are queued while the segmenter stands still, and then all are finished.

    Raises:
        NotServed: the service cannot be started.
    """
    many, accepted = SIZES[size]
    file = speech.wav(speech.talk(CLIP_S))
    room = {"max_backlog_s": 31_536_000, "max_spool_mb": 1_048_576}
    with services.service(folder, services.INSTANT, **room) as service, service.client() as http:
        _accept(http, file, accepted)  # so that it is warm
        _drain(http)
        with _held(service):
            _fill(http, file, FEW)
            few_ms = _accept(http, file, accepted)
            _fill(http, file, many - FEW - accepted)
            many_ms = _accept(http, file, accepted)
        looks = _drain(http)
    waited, left = seconds_per_job(looks, *MANY_WAIT), seconds_per_job(looks, *FEW_WAIT)
    return Found(
        values={
            "accept_ratio": many_ms / few_ms,
            "finish_ratio": waited / left,
            "accept_ms": many_ms,
            "drained_per_s": 1 / left,
        },
        how=f"jobs of {CLIP_S} s queued while the segmenter stands still: p50 of {accepted} accepted in "
        f"turn behind {FEW} and behind {many - FEW:,} or more; then it goes on: seconds per job of "
        f"those that end from {MANY_WAIT[0]:.0%} to {MANY_WAIT[1]:.0%} ÷ {FEW_WAIT[0]:.0%} to "
        f"{FEW_WAIT[1]:.0%} of all",
    )


def seconds_per_job(looks: Sequence[Ended], first: float, last: float) -> float:
    """What a job took of those between two shares (0 to 1) of all that ended, nothing else going on.

    Between looks jobs are taken to end evenly.
    """
    begin, end = looks[0].jobs, looks[-1].jobs
    count = end - begin
    at_s = [_reached_s(looks, begin + share * count) for share in (first, last)]
    return (at_s[1] - at_s[0]) / ((last - first) * count)


def _reached_s(looks: Sequence[Ended], jobs: float) -> float:
    after = next(number for number, look in enumerate(looks) if look.jobs >= jobs)
    if after == 0:
        return looks[0].at_s
    before, then = looks[after - 1], looks[after]
    share = (jobs - before.jobs) / (then.jobs - before.jobs)
    return before.at_s + share * (then.at_s - before.at_s)


@contextmanager
def _held(service: Service) -> Iterator[None]:
    """The segmenters stopped, so that what is accepted stays queued."""
    stopped = service.segmenters()
    try:
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        yield
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)


def _fill(http: httpx.Client, file: bytes, count: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: _send_ms(http, file), range(count)))


def _accept(http: httpx.Client, file: bytes, count: int) -> float:
    """The median time from a job's upload to its id, in milliseconds."""
    return statistics.median(_send_ms(http, file) for _ in range(count))


def _send_ms(http: httpx.Client, file: bytes) -> float:
    began_s = time.perf_counter()
    http.post("/jobs", files={"file": ("word.wav", file)}).raise_for_status()
    return (time.perf_counter() - began_s) * 1000


def _drain(http: httpx.Client) -> list[Ended]:
    """Wait until no job is left, and say how that went."""
    looks = []
    while True:
        seen = services.metrics(http)
        looks.append(Ended(time.perf_counter(), sum(seen.series["asr_jobs_total"].values())))
        if not seen.value("asr_jobs_waiting") and not seen.value("asr_jobs_running"):
            return looks
        time.sleep(LOOK_S)
