"""Whether a job costs more when ten thousand wait than when ten do."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx

from loadtest.bench import services, speech
from loadtest.bench.rows import Found, Size
from loadtest.bench.services import Service

#: Jobs of the long backlog, of a short one, and how many are accepted in turn to see what that takes.
SIZES: Final = {Size.QUICK: (120, 40, 10), Size.USUAL: (10_000, 1000, 200), Size.FULL: (10_000, 1000, 200)}

FEW: Final = 10

#: Speech is found in it, or no instance would have a part in its job.
CLIP_S: Final = 0.75

#: Uploads at the same time while the backlog grows.
THREADS: Final = 4

LOOK_S: Final = 0.1


def measure(size: Size, folder: Path) -> Found:
    """Jobs are queued while the segmenter stands still, and then all are finished.

    Raises:
        NotServed: the service cannot be started.
    """
    many, few, accepted = SIZES[size]
    file = speech.wav(speech.talk(CLIP_S))
    room = {"max_backlog_s": 31_536_000, "max_spool_mb": 1_048_576}
    with services.service(folder, services.INSTANT, **room) as service, service.client() as http:
        _fill(http, file, few)  # so that it is warm
        _drain_s(http)
        few_s = [_finish_s(service, http, file, few)]
        with service.hold_segmenters():
            _fill(http, file, FEW)
            few_ms = [_accept(http, file, accepted)]
            _fill(http, file, many - FEW - 2 * accepted)
            many_ms = _accept(http, file, accepted)
        many_s = _drain_s(http) / many
        with service.hold_segmenters():
            _fill(http, file, FEW)
            few_ms.append(_accept(http, file, accepted))
        _drain_s(http)
        few_s.append(_finish_s(service, http, file, few))
    return Found(
        values={
            "accept_ratio": many_ms / statistics.mean(few_ms),
            "finish_ratio": many_s / statistics.mean(few_s),
            "accept_ms": many_ms,
            "drained_per_s": 1 / many_s,
        },
        how=f"jobs of {CLIP_S} s queued while the segmenter stands still: p50 of {accepted} accepted in "
        f"turn behind {FEW} and behind {many - accepted:,}; then it goes on until none is left: "
        f"seconds per job of {many:,} ÷ of {few}; of few, the mean of once before and once after",
    )


def _finish_s(service: Service, http: httpx.Client, file: bytes, count: int) -> float:
    """What each of so many jobs takes that have been queued."""
    with service.hold_segmenters():
        _fill(http, file, count)
    return _drain_s(http) / count


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


def _drain_s(http: httpx.Client) -> float:
    """How long it takes until no job is left."""
    began_s = time.perf_counter()
    while True:
        seen = services.metrics(http)
        if not seen.value("asr_jobs_waiting") and not seen.value("asr_jobs_running"):
            return time.perf_counter() - began_s
        time.sleep(LOOK_S)
