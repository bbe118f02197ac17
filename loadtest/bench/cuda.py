"""The two targets that need a GPU."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from actors import devices
from actors.batcher import Limits
from actors.engines.sensevoice import precisions
from loadtest.bench import engine, full_size, funasr_model, services, speech
from loadtest.bench.rows import Found, Size
from loadtest.bench.ways import Way, one_by_one
from loadtest.versus.comparison import side
from loadtest.versus.measuring import measure as measure_load

#: Segments, of how many different ones, and rounds.
SEGMENTS: Final = {Size.QUICK: (128, 16, 1), Size.USUAL: (4000, 400, 3), Size.FULL: (8000, 400, 5)}

#: Of them, those that are recognised one at a time: alone they take a hundred times as long.
ALONE: Final = 100

#: 128 of the longest at once, and more of shorter ones.
LIMITS: Final = Limits(rows=512, audio_s=128 * 15.0)

#: Requests of each user.
REQUESTS: Final = {Size.QUICK: 1, Size.USUAL: 30, Size.FULL: 100}

CLIP_S: Final = 5.0
CLIPS: Final = 48

#: Enough to keep the GPU busy, and the processes that send for them: by what it takes at 50 requests/s, one
#: is full at 700, and the target is 800.
MOST_USERS: Final = 256
SENDERS: Final = 4

_NONE: Final = Found(skipped="no GPU here")


def measure_engine(size: Size, _folder: Path) -> Found:
    """The engine by itself in the precision that an instance on a GPU has, and in the others."""
    if not _has_gpu():
        return _NONE
    count, different, rounds = SEGMENTS[size]
    segments = [row for row in speech.rows(different) for _ in range(count // different)]
    batches, alone = list(speech.batches(segments, LIMITS)), one_by_one(segments[:: count // ALONE + 1])
    folder = full_size.kept()
    usual, *others = (
        (precision, engine.load(folder, "cuda", precision, threads=1)) for precision in precisions("cuda")
    )
    together, apart = Way(usual[1].recognize, batches), Way(usual[1].recognize, alone)
    coarse = {precision: Way(loaded.recognize, batches) for precision, loaded in others}
    theirs = Way(funasr_model.generating(folder, "cuda", threads=1), alone)
    for _ in range(rounds):
        for way in (together, apart, theirs, *coarse.values()):
            way.add_round()
    return Found(
        values={
            "rtfx": together.rtfx,
            "batching": together.against(apart),
            "ratio": together.against(theirs),
            **{f"other_rtfx[{precision}]": way.rtfx for precision, way in coarse.items()},
        },
        how=f"{count} synthetic segments of 1 to 15 s, {speech.audio_s(segments):.0f} s in all, "
        f"{usual[0]}, {len(batches)} batches of {LIMITS.rows} rows or {LIMITS.audio_s:.0f} s at most; "
        f"{len(alone)} of them one at a time and by FunASR in float32; {rounds} rounds in turn, medians",
    )


def measure_http(size: Size, folder: Path) -> Found:
    """The service with its settings for a GPU, under one user, 32, and as many as it bears.

    Raises:
        NotServed: it cannot be started or asked.
    """
    if not _has_gpu():
        return _NONE
    clips, requests, segmenters = _clips(folder), REQUESTS[size], max(1, devices.cores() // 2)
    settings = {"segmenters": segmenters, "request_timeout_s": 3600}  # so that nobody is refused
    with services.service(folder, str(full_size.kept()), **settings) as service:
        measure_load(service.url, 2 * services.INSTANCES, requests, clips)  # so that every instance is warm
        one, some = (side(measure_load(service.url, users, requests, clips)) for users in (1, 32))
        with ThreadPoolExecutor(SENDERS) as pool:
            parts = [
                pool.submit(measure_load, service.url, MOST_USERS // SENDERS, requests, clips)
                for _ in range(SENDERS)
            ]
            rtfx = sum(side(part.result()).rtfx for part in parts)
    return Found(
        values={"rtfx": rtfx, "p50_1": one.p50_s * 1000, "p95_32": some.p95_s * 1000},
        how=f"{CLIPS} clips of {CLIP_S:g} s, {requests} requests of each of 1, 32 and, for RTFx, "
        f"{MOST_USERS} users from {SENDERS} processes; {services.INSTANCES} instances, {segmenters} "
        "segmenters",
    )


def _clips(folder: Path) -> Path:
    """A folder with recordings of speech, all of one length."""
    made, samples = folder / "clips", speech.talk(CLIPS * CLIP_S)
    made.mkdir()
    length = len(samples) // CLIPS
    for number in range(CLIPS):
        part = samples[number * length : (number + 1) * length]
        (made / f"{number:02}.wav").write_bytes(speech.wav(part))
    return made


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
