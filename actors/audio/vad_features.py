"""What the VAD's network sees: log-mel frames with their neighbours (LFR)."""

import torch
from torch import Tensor

from actors.audio.filter_bank import HOP, MELS, WINDOW, FilterBank

#: Frames stacked into one feature vector: two before, the frame itself, two after.
STACKED = 5
FEATURES = STACKED * MELS
_CONTEXT = STACKED // 2


class FeatureStream:
    """The features of one recording; blocks of samples may have any length and change nothing in them."""

    def __init__(self, filter_bank: FilterBank) -> None:
        self._filter_bank = filter_bank
        #: Samples that fill no window yet, or that the next one shares: float32 [fewer than 400].
        self._samples = torch.empty(0)
        #: Frames that wait for their right context, and their left: float32 [up to 4, 80].
        self._frames = torch.empty(0, MELS)

    def feed(self, samples: Tensor, *, final: bool) -> Tensor:
        """Features float32 [frames, 400] of samples float32 [samples], of up to ±32768.

        The frame of the first 25 ms comes first. A frame comes once the two after it are known; `final` takes
        the last for those. Before the first frame, the first is repeated.
        """
        frames = torch.cat((self._frames, self._log_mel(samples)))
        if len(self._frames) == 0:
            frames = torch.cat((frames[:1].repeat(_CONTEXT, 1), frames))
        if final:
            frames = torch.cat((frames, frames[-1:].repeat(_CONTEXT, 1)))
        complete = max(0, len(frames) - 2 * _CONTEXT)
        self._frames = frames[complete:].clone()
        # Row i is frames i to i + 4, one after the other as they lie in memory.
        return frames.as_strided((complete, FEATURES), (MELS, 1))

    def _log_mel(self, samples: Tensor) -> Tensor:
        """The frames that `samples` complete: float32 [frames, 80]."""
        samples = torch.cat((self._samples, samples))
        count = max(0, (len(samples) - WINDOW) // HOP + 1)
        self._samples = samples[count * HOP :].clone()
        return self._filter_bank(samples) if count else torch.empty(0, MELS)
