"""What the VAD's network sees: log-mel frames with their neighbours (LFR), normalised (CMVN)."""

import re
from pathlib import Path

import torch
from torch import Tensor

from actors.audio.filter_bank import HOP, MELS, WINDOW, FilterBank

#: Frames stacked into one feature vector: two before, the frame itself, two after.
STACKED = 5
FEATURES = STACKED * MELS
_CONTEXT = STACKED // 2

#: Frames whose spectra, 2 KiB each and some copies, stay in a core's cache: two to three times faster.
_CACHED = 256


def read_cmvn(path: Path) -> Tensor:
    """Mean and variance normalisation from Kaldi's text: float32 [2, 400], what to add, then to multiply by.

    Raises:
        ValueError: the file holds something else.
    """
    text = path.read_text(encoding="utf-8")
    rows = []
    for component in ("AddShift", "Rescale"):
        found = re.search(rf"<{component}>[^\[]*\[([^\]]*)\]", text)
        row = torch.tensor([float(number) for number in found[1].split()] if found else [])
        if row.shape != (FEATURES,) or not row.isfinite().all():
            raise ValueError(f"{path.name} has no {FEATURES} numbers under <{component}>")
        rows.append(row)
    return torch.stack(rows)


class FeatureStream:
    """The features of one recording; blocks of samples may have any length and change nothing in them."""

    def __init__(self, filter_bank: FilterBank, cmvn: Tensor) -> None:
        self._filter_bank = filter_bank
        self._shift, self._scale = cmvn
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
        stacked = frames.as_strided((complete, FEATURES), (MELS, 1))
        features: Tensor = (stacked + self._shift).mul_(self._scale)
        return features

    def _log_mel(self, samples: Tensor) -> Tensor:
        """The frames that `samples` complete: float32 [frames, 80]."""
        samples = torch.cat((self._samples, samples))
        count = max(0, (len(samples) - WINDOW) // HOP + 1)
        self._samples = samples[count * HOP :].clone()
        pieces = [
            self._filter_bank(samples[begin * HOP : min(begin + _CACHED, count) * HOP + WINDOW - HOP])
            for begin in range(0, count, _CACHED)
        ]
        return torch.cat(pieces) if pieces else torch.empty(0, MELS)
