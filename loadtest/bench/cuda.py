"""The two targets that need a GPU."""

from pathlib import Path
from typing import Final

from actors.batcher import Limits
from loadtest.bench import engine, full_size, services, speech
from loadtest.bench.rows import Found, Size
from loadtest.versus.comparison import side
from loadtest.versus.measuring import measure as measure_load

#: Segments, and rounds.
SEGMENTS: Final = {Size.QUICK: (128, 1), Size.USUAL: (4000, 3), Size.FULL: (8000, 5)}

#: Requests of each user.
REQUESTS: Final = {Size.QUICK: 1, Size.USUAL: 30, Size.FULL: 100}

#: As many rows as fit: 128 of the longest, more of shorter ones.
LIMITS: Final = Limits(rows=512, audio_s=128 * 15.0)

#: Enough to keep the GPU busy.
MOST_USERS: Final = 256

_NONE: Final = Found(skipped="no GPU here")


def measure_engine(size: Size, _folder: Path) -> Found:
    """The engine by itself, in the precision that an instance on a GPU has."""
    if not _has_gpu():
        return _NONE
    count, rounds = SEGMENTS[size]
    segments = speech.rows(count)
    loaded = engine.load(full_size.kept(), "cuda", "float16", threads=1)
    times = engine.Times(loaded.recognize, segments, LIMITS)
    for _ in range(rounds):
        times.add_round()
    return Found(
        values={"rtfx": times.rtfx(), "batching": times.batching()},
        how=f"{count} synthetic segments of 1 to 15 s, float16, batches of {LIMITS.audio_s:.0f} s, {rounds} "
        "rounds in turn, medians",
    )


def measure_http(size: Size, folder: Path) -> Found:
    """The service with its settings for a GPU, under one user, 32, and as many as it bears.

    Raises:
        NotServed: it cannot be started or asked.
    """
    if not _has_gpu():
        return _NONE
    clips, requests = speech.clips(folder), REQUESTS[size]
    with services.service(folder, str(full_size.kept())) as service:
        measure_load(service.url, services.INSTANCES, 2, clips)  # so that every instance is warm
        one, some, many = (
            side(measure_load(service.url, users, requests, clips)) for users in (1, 32, MOST_USERS)
        )
    return Found(
        values={"rtfx": many.rtfx, "p50_1": one.p50_s * 1000, "p95_32": some.p95_s * 1000},
        how=f"clips of 5 to 15 s, {requests} requests of each of 1, 32 and, for RTFx, {MOST_USERS} users",
    )


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
