"""Noise, and how loud it is beside speech."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ

Signal = NDArray[np.float64]

#: Voices at once in babble: enough for none to be understood.
TALKERS: Final = 6


def white(rng: np.random.Generator, length: int) -> Signal:
    """The same power at every frequency: float64 [length]."""
    return rng.standard_normal(length)


def pink(rng: np.random.Generator, length: int) -> Signal:
    """Power in inverse proportion to the frequency: float64 [length]."""
    spectrum = np.fft.rfft(white(rng, length))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, length)


def babble(rng: np.random.Generator, length: int, voices: Sequence[Pcm]) -> Signal:
    """`TALKERS` at once, each of whom says all of this over and over, from somewhere: float64 [length]."""
    mixed = np.zeros(length)
    for _ in range(TALKERS):
        order = rng.permutation(len(voices))
        talk = np.concatenate([voices[one] for one in order])
        mixed += np.resize(np.roll(talk, rng.integers(len(talk))), length)
    return mixed


def noisy(clean: Signal, noise: Signal, speech_s: Sequence[tuple[float, float]], snr_db: float) -> Signal:
    """The noise added to the clean signal at this ratio of their mean powers, both float64 [samples].

    The speech's power is that of its utterances alone, without the pauses, as ITU-T P.56 defines the active
    speech level; the noise's is that of the whole signal.
    """
    spoken = np.concatenate([clean[slice(*_samples(part))] for part in speech_s])
    ratio = np.mean(spoken**2) / np.mean(noise**2) / 10 ** (snr_db / 10)
    return clean + noise * math.sqrt(ratio)


def _samples(span_s: tuple[float, float]) -> tuple[int, int]:
    begin_s, end_s = span_s
    return round(begin_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ)
