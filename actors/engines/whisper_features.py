"""Whisper's front end: the log-mel spectrogram, as OpenAI's `whisper/audio.py` defines it."""

import math

import numpy as np
from numpy.typing import NDArray

from actors.engines.base import Samples
from actors.records import SAMPLE_RATE_HZ

#: float32 [mels, frames]
Features = NDArray[np.float32]

FRAMES_PER_S = 100
MELS = 80

_HOP = SAMPLE_RATE_HZ // FRAMES_PER_S
_WINDOW = 400
_HANN = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def log_mel(samples: Samples, frames: int) -> Features:
    """The features of `samples`, followed by silence or cut to `frames`: float32 [80, frames]."""
    # Two windows more, so that the last samples are inside full windows and a short clip can be mirrored.
    padded = np.pad(np.pad(samples[: frames * _HOP], (0, _WINDOW)), (_WINDOW // 2, 0), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:frames]
    power = np.abs(np.fft.rfft(windows * _HANN)) ** 2
    log = np.log10(np.maximum(_FILTERS @ power.T, 1e-10))
    floor = max(-10.0, float(log.max()) - 8.0)
    features = np.full((MELS, frames), floor, dtype=np.float32)
    features[:, : log.shape[1]] = np.maximum(log, floor)
    return (features + 4.0) / 4.0


def _filters() -> NDArray[np.float32]:
    """Slaney's mel filters, each of unit area: float32 [80, 201]."""
    edges_hz = _hz(np.linspace(0.0, _mel(SAMPLE_RATE_HZ / 2), MELS + 2))[:, None]
    bins_hz = np.fft.rfftfreq(_WINDOW, 1.0 / SAMPLE_RATE_HZ)[None, :]
    rise = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    fall = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    triangles = np.maximum(0.0, np.minimum(rise, fall))
    return (triangles * 2.0 / (edges_hz[2:] - edges_hz[:-2])).astype(np.float32)


#: Slaney's scale is linear below 1 kHz, which is 15 mel, and logarithmic above.
_LINEAR_HZ, _LINEAR_MEL, _LOG_STEP = 1000.0, 15.0, math.log(6.4) / 27.0


def _mel(hz: float) -> float:
    return _LINEAR_MEL + math.log(hz / _LINEAR_HZ) / _LOG_STEP


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * (_LINEAR_HZ / _LINEAR_MEL)
    return np.where(mel < _LINEAR_MEL, linear, _LINEAR_HZ * np.exp(_LOG_STEP * (mel - _LINEAR_MEL)))


_FILTERS = _filters()
