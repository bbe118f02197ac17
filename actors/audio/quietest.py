"""Finds where speech without pauses is best cut."""

import numpy as np
from numpy.typing import NDArray

from actors.records import SAMPLE_RATE_HZ

#: Energy is taken over frames of this length, which is therefore the grid of the cuts.
_FRAME_MS = 10

#: Energy is averaged over this much around a cut: the pause between two words, not the closure of a plosive.
_SMOOTH_MS = 150

_FRAME_SAMPLES = SAMPLE_RATE_HZ * _FRAME_MS // 1000
_SMOOTH_FRAMES = _SMOOTH_MS // _FRAME_MS


def quietest_ms(samples: NDArray[np.int16]) -> int:
    """Where the smoothed short-time energy of `samples` is lowest; the latest such place.

    Needs at least 150 ms of audio. The result is a multiple of 10 ms, at least 70 ms from either end.
    """
    frames = samples[: len(samples) // _FRAME_SAMPLES * _FRAME_SAMPLES].reshape(-1, _FRAME_SAMPLES)
    # Integers, so that equal stretches are equal and the result does not hang on rounding.
    wide = frames.astype(np.int64)
    total = np.concatenate(([0], np.cumsum(np.einsum("ij,ij->i", wide, wide))))
    smoothed = total[_SMOOTH_FRAMES:] - total[:-_SMOOTH_FRAMES]
    first_frame = len(smoothed) - 1 - int(np.argmin(smoothed[::-1]))
    return (first_frame + _SMOOTH_FRAMES // 2) * _FRAME_MS
