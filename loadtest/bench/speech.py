"""What is recognised: packaged speech as files and samples, and synthetic segments for a bare engine."""

import functools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from actors import weights
from actors.audio.resample import Pcm
from actors.audio.segments import by_speech
from actors.audio.vad import VoiceActivityDetector
from actors.batcher import Limits, Request, choose
from actors.engines.base import Row, Samples
from actors.records import SAMPLE_RATE_HZ
from loadtest import corpus
from loadtest.bench import full_size
from loadtest.corpus.clips import audio_of, decode
from loadtest.corpus.encoding import encoded
from loadtest.corpus.recipes import drafts

#: Shortest and longest clip of the rows that load the service.
CLIP_S: Final = (5, 15)

_FULL_SCALE: Final = 32_768


def clips(folder: Path) -> Path:
    """A folder with the recordings of the short corpus that are 5 to 15 s long."""
    made = folder / "clips"
    made.mkdir()
    least_s, most_s = CLIP_S
    for one in corpus.recordings("short", 0):
        if least_s <= one.audio_s <= most_s:
            shutil.copy(one.path, made / one.name)
    return made


@functools.cache
def talk(duration_s: float) -> Pcm:
    """English with pauses, up to half an hour: int16 [samples], 16 kHz."""
    return next(drafts("long", 0)).samples[: round(duration_s * SAMPLE_RATE_HZ)]


def wav(samples: Pcm) -> bytes:
    """A file of 16 kHz mono samples."""
    return encoded(audio_of(samples), "wav")


def read(path: Path) -> Pcm:
    """All samples of a file: int16 [samples], 16 kHz."""
    with path.open("rb") as file:
        return np.concatenate(list(decode(file)))


def cut(recordings: Sequence[Pcm]) -> list[Row]:
    """The segments that a segmenter cuts these recordings into, as an engine gets them."""
    detector = VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)
    return [
        _row(np.divide(piece.samples, _FULL_SCALE, dtype=np.float32))
        for samples in recordings
        for piece in by_speech([samples], detector.stream())
    ]


def rows(count: int) -> list[Row]:
    """Synthetic segments of 1 to 15 s, as many between 1 and 4 s as above; shortest first."""
    rng = np.random.default_rng(0)
    durations_s = np.sort(np.exp(rng.uniform(np.log(1.0), np.log(15.0), count))).tolist()
    return [_row(full_size.voice(duration_s, rng)) for duration_s in durations_s]


def batches(segments: Sequence[Row], limits: Limits) -> Iterator[list[Row]]:
    """As an instance would batch them if they all waited at once."""
    waiting = [Request(row=row) for row in segments]
    while waiting:
        batch = choose(waiting, limits)
        yield [request.row for request in batch]
        waiting = [request for request in waiting if request not in batch]


def audio_s(segments: Sequence[Row]) -> float:
    """Their length in all."""
    return sum(len(row.samples) for row in segments) / SAMPLE_RATE_HZ


def _row(samples: Samples) -> Row:
    return Row(samples=samples, language="auto", itn=True)
