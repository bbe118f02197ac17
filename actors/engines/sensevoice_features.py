"""SenseVoice's front end, batched: Kaldi's filter bank, frames stacked (LFR), normalised (CMVN)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from actors.audio.filter_bank import FULL_SCALE, HOP, MELS, WINDOW, FilterBank
from actors.engines.base import Samples

#: Low frame rate: each frame that the model sees is 7 frames of 10 ms, every 6 of them.
LFR_STACKED, LFR_STEP = 7, 6

#: Anything shorter fills no window.
MIN_SAMPLES = WINDOW


class Frontend:
    """Samples to features on one device, as FunASR's `WavFrontend` with dither 0."""

    def __init__(self, cmvn: Tensor, device: torch.device) -> None:
        """`cmvn`: float32 [2, 560], what to add and what to multiply by afterwards."""
        self._device = device
        self._shift, self._scale = cmvn.to(device)
        self._filter_bank = FilterBank(device)

    def __call__(self, rows: Sequence[Samples]) -> tuple[Tensor, list[int]]:
        """Features float32 [rows, frames, 560], padded with zeros, and how many frames each row has.

        Every row must have `MIN_SAMPLES` at least.
        """
        lengths = [1 + (len(row) - WINDOW) // HOP for row in rows]
        frames = [-(-length // LFR_STEP) for length in lengths]
        if self._device.type == "cpu":
            return torch.nn.utils.rnn.pad_sequence(self.each(rows), batch_first=True), frames
        return self._padded(rows, lengths, frames), frames

    def each(self, rows: Sequence[Samples]) -> list[Tensor]:
        """Features float32 [frames, 560] of each row: one by one they stay in a CPU's cache."""
        return [self._stack(self._log_mel(torch.tensor(row))) for row in rows]

    def _padded(self, rows: Sequence[Samples], lengths: list[int], frames: list[int]) -> Tensor:
        samples = np.zeros((len(rows), max(map(len, rows))), dtype=np.float32)
        for index, row in enumerate(rows):
            samples[index, : len(row)] = row
        mel = self._log_mel(torch.from_numpy(samples).to(self._device))
        lasts = torch.tensor(lengths, device=self._device)[:, None] - 1
        source = self._sources(max(frames)).flatten().minimum(lasts)
        chosen = mel.gather(1, source[..., None].expand(-1, -1, MELS))
        stacked = chosen.reshape(len(rows), max(frames), LFR_STACKED * MELS)
        features: Tensor = (stacked + self._shift) * self._scale
        beyond = torch.arange(max(frames), device=self._device) >= (lasts // LFR_STEP + 1)
        return features.masked_fill_(beyond[..., None], 0.0)

    def _stack(self, mel: Tensor) -> Tensor:
        frames = -(-len(mel) // LFR_STEP)
        source = self._sources(frames).clamp_(max=len(mel) - 1)
        return mel[source].flatten(1).add_(self._shift).mul_(self._scale)

    def _sources(self, frames: int) -> Tensor:
        """Which 10 ms frames make each stacked one; the first is repeated before the beginning."""
        first = torch.arange(frames, device=self._device)[:, None] * LFR_STEP - LFR_STACKED // 2
        return (first + torch.arange(LFR_STACKED, device=self._device)).clamp_(min=0)

    def _log_mel(self, samples: Tensor) -> Tensor:
        """Kaldi's log-mel energies of samples from -1 to 1: float32 [..., samples] to [..., frames, 80]."""
        return self._filter_bank(samples.mul(FULL_SCALE))
