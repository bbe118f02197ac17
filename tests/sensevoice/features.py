"""Features of the corpus, computed once, and the augmentation that each use of them gets.

Log mel energies are kept before LFR and CMVN: gain is then an addition, noise a sum of energies, and a shift
by less than an LFR frame still possible.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from funasr.frontends.wav_frontend import WavFrontend, apply_lfr
from msgspec import Struct
from numpy.random import Generator
from numpy.typing import NDArray

from tests.sensevoice.synthesize import SAMPLE_RATE_HZ, Clip, Samples, corpus, music, noise

LogMel = NDArray[np.float32]

#: FunASR's front end of SenseVoiceSmall.
FRONTEND_CONF: Final[dict[str, Any]] = {
    "fs": SAMPLE_RATE_HZ,
    "window": "hamming",
    "n_mels": 80,
    "frame_length": 25,
    "frame_shift": 10,
    "lfr_m": 7,
    "lfr_n": 6,
}
_LFR_FRAMES: Final = (7, 6)

#: The log energy of digital silence: the smallest float above 1, less 1.
FLOOR: Final = float(np.log(np.finfo(np.float32).eps))

_BACKGROUND_S: Final = 12
_unstacked: dict[str, Any] = FRONTEND_CONF | {"lfr_m": 1, "lfr_n": 1}
_log_mel = WavFrontend(**_unstacked, dither=0.0)


class Spoken(Struct, frozen=True):
    """A clean utterance: log mel energies as float16 [frames of 10 ms, 80], and what it holds."""

    log_mel: NDArray[np.float16]
    language: str
    digits: str
    happy: bool


class Background(Struct, frozen=True):
    """Noises and music to put behind speech, scaled to the level of speech."""

    noises: list[LogMel]
    musics: list[LogMel]


class Heard(Struct, frozen=True):
    """One example: features float32 [LFR frames, 560] before CMVN, and the tags and digits to say."""

    features: NDArray[np.float32]
    language: str
    emotion: str
    event: str
    digits: str


def log_mel(samples: Samples) -> LogMel:
    """Log mel energies, as FunASR computes them: float32 [frames of 10 ms, 80]."""
    waveform = torch.from_numpy(samples)[None]
    features, _ = _log_mel(waveform, torch.tensor([waveform.shape[1]]))
    return np.asarray(features[0].numpy(), np.float32)


def lfr(features: LogMel) -> NDArray[np.float32]:
    """Seven frames side by side every six: float32 [LFR frames of 60 ms, 560]."""
    return np.asarray(apply_lfr(torch.from_numpy(features), *_LFR_FRAMES).numpy(), np.float32)


def spoken(number: int, seed: int, cache: Path | None = None) -> list[Spoken]:
    """The clean training corpus; from the cache where that holds it, as it takes minutes."""
    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=True) as file:
            columns = [file[name] for name in Spoken.__struct_fields__]
        return [
            Spoken(mel, str(language), str(digits), bool(happy))
            for mel, language, digits, happy in zip(*columns, strict=True)
        ]
    rows = [_spoken(clip) for clip in corpus(number, "train", seed)]
    if cache is not None:
        features = np.empty(len(rows), object)
        features[:] = [row.log_mel for row in rows]
        others: dict[str, Any] = {
            name: [getattr(row, name) for row in rows] for name in Spoken.__struct_fields__[1:]
        }
        np.savez(cache, log_mel=features, **others)
    return rows


def _spoken(clip: Clip) -> Spoken:
    """The features of a clip, with 25 ms of silence at both ends: a whole frame fades in and out."""
    mel = log_mel(np.pad(clip.samples, SAMPLE_RATE_HZ // 40)).astype(np.float16)
    said = clip.utterance
    return Spoken(mel, said.language, said.digits, said.happy)


def background(seed: int, each: int = 40) -> Background:
    """Some noises and some music, 12 s each, as loud as the speech of the corpus."""
    rng = np.random.default_rng(seed)
    length, level = _BACKGROUND_S * SAMPLE_RATE_HZ, 0.1
    return Background(
        noises=[log_mel(level * noise(rng, length)) for _ in range(each)],
        musics=[log_mel(level * music(rng, length)) for _ in range(each)],
    )


def hear(rng: Generator, clip: Spoken, behind: Background) -> Heard:
    """The clip in a random room: silence around it, noise or music behind it, some gain, parts masked."""
    before, after = rng.integers(0, 70, 2)
    mel = np.pad(clip.log_mel.astype(np.float32), ((before, after), (0, 0)), constant_values=FLOOR)
    mel, event = _with_background(rng, mel, behind, music_share=0.12)
    emotion = "HAPPY" if clip.happy else "NEUTRAL"
    return Heard(lfr(_masked(rng, _with_gain(rng, mel))), clip.language, emotion, event, clip.digits)


def hear_nobody(rng: Generator, behind: Background) -> Heard:
    """0.2 to 4 s without speech: digital silence, noise, or music."""
    mel = np.full((rng.integers(20, 400), 80), FLOOR, np.float32)
    mel, event = _with_background(rng, mel, behind, music_share=0.4)
    event = "BGM" if event == "BGM" else "Event_UNK"
    return Heard(lfr(_with_gain(rng, mel)), "nospeech", "EMO_UNKNOWN", event, "")


def _with_background(
    rng: Generator, mel: LogMel, behind: Background, music_share: float
) -> tuple[LogMel, str]:
    """Music 5 to 15 dB or noise 5 to 45 dB below the speech, or nothing added; and the name of the event."""
    draw = rng.random()
    if draw < music_share:
        return _summed(rng, mel, behind.musics, rng.uniform(5, 15)), "BGM"
    if draw < 0.9:
        return _summed(rng, mel, behind.noises, rng.uniform(5, 45)), "Speech"
    return mel, "Speech"


def _summed(rng: Generator, mel: LogMel, others: list[LogMel], below_db: float) -> LogMel:
    other = others[rng.integers(len(others))]
    start = rng.integers(0, len(other) - len(mel) + 1) if len(mel) < len(other) else 0
    part = np.resize(other[start:], mel.shape) if len(mel) > len(other) - start else other[start:][: len(mel)]
    return np.logaddexp(mel, part - below_db * np.float32(np.log(10) / 10)).astype(np.float32)


def _with_gain(rng: Generator, mel: LogMel) -> LogMel:
    gain_db = rng.uniform(-20, 5)
    return np.maximum(mel + np.float32(gain_db * np.log(10) / 10), FLOOR)


def _masked(rng: Generator, mel: LogMel) -> LogMel:
    """SpecAugment: up to two bands of at most 12 mels, and one moment of at most 50 ms, set to the mean."""
    mean = mel.mean()
    for _ in range(rng.integers(0, 3)):
        low = rng.integers(0, 80)
        mel[:, low : low + rng.integers(0, 13)] = mean
    if rng.random() < 0.5:
        start = rng.integers(0, len(mel))
        mel[start : start + rng.integers(0, 6)] = mean
    return mel
