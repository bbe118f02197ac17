"""Kaldi's log-mel filter bank: what SenseVoice and the VAD hear instead of samples."""

import math

import numpy as np
import torch
from torch import Tensor

from actors.audio.affine import Affine
from actors.records import SAMPLE_RATE_HZ

MELS = 80

#: Samples that a frame covers, and from one frame to the next: 25 and 10 ms.
WINDOW = SAMPLE_RATE_HZ * 25 // 1000
HOP = SAMPLE_RATE_HZ * 10 // 1000

#: Kaldi takes samples as 16-bit numbers.
FULL_SCALE = 1 << 15

_FFT = 512

#: Frames whose spectra, 2 KiB each and some copies, stay in a core's cache: two to three times faster.
_CACHED = 250

#: Kaldi's constants: `feature-window.h` and `mel-computations.h`.
_PREEMPHASIS = 0.97
_LOWEST_HZ = 20.0

#: Least energy before the logarithm. What Kaldi calls `energy_floor` is another, of a value not used here.
_ENERGY_FLOOR = float(np.finfo(np.float32).eps)


class FilterBank:
    """Samples to log-mel energies on one device, without dither."""

    def __init__(self, device: torch.device) -> None:
        self._hamming = torch.hamming_window(WINDOW, periodic=False, dtype=torch.float64).float().to(device)
        self._filters = Affine(_mel_filters().to(device))

    def __call__(self, samples: Tensor) -> Tensor:
        """Float32 [samples] of up to ±`FULL_SCALE`, `WINDOW` at least, to [frames, 80].

        On a GPU also [..., samples] to [..., frames, 80].
        """
        frames = samples.unfold(-1, WINDOW, HOP)
        if samples.is_cpu:
            return torch.cat([self._log_mel(piece) for piece in torch.split(frames, _CACHED)])
        return self._log_mel(frames)

    def _log_mel(self, frames: Tensor) -> Tensor:
        return self._filters(self._power(frames)).clamp_(min=_ENERGY_FLOOR).log_()

    def _power(self, frames: Tensor) -> Tensor:
        """Power spectra [..., frames, 256] of the samples in each frame, [..., frames, 400]."""
        frames = frames - frames.mean(-1, keepdim=True)
        padded = frames.new_zeros(*frames.shape[:-1], _FFT)
        torch.sub(frames[..., 1:], frames[..., :-1], alpha=_PREEMPHASIS, out=padded[..., 1:WINDOW])
        torch.mul(frames[..., :1], 1 - _PREEMPHASIS, out=padded[..., :1])
        padded[..., :WINDOW].mul_(self._hamming)
        squares = torch.view_as_real(torch.fft.rfft(padded)).square_()
        # Added, because `sum` over an axis of two is ten times slower.
        return squares[..., : _FFT // 2, 0] + squares[..., : _FFT // 2, 1]


def _mel_filters() -> Tensor:
    """Kaldi's triangular filters between 20 Hz and half the sample rate: float32 [80, 256]."""
    low, high = _mel(_LOWEST_HZ), _mel(SAMPLE_RATE_HZ / 2)
    edges = torch.linspace(low, high, MELS + 2, dtype=torch.float64)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    hz = torch.arange(_FFT // 2, dtype=torch.float64) * (SAMPLE_RATE_HZ / _FFT)
    mel = (1127.0 * torch.log1p(hz / 700.0))[:, None]
    triangles = torch.minimum((mel - left) / (centre - left), (right - mel) / (right - centre))
    return triangles.clamp_(min=0.0).float().t().contiguous()


def _mel(hz: float) -> float:
    return 1127.0 * math.log1p(hz / 700.0)
