"""Voice activity detection: FSMN-VAD, on FunASR's weights, as a stream of speech edges."""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.audio.edges import Edge
from actors.audio.filter_bank import FilterBank
from actors.audio.vad_features import FeatureStream
from actors.audio.vad_network import VadNetwork
from actors.audio.vad_states import EdgeFinder
from actors.audio.vad_weights import read_cmvn, read_weights
from actors.errors import StartupError
from actors.records import SAMPLE_RATE_HZ

_WEIGHTS, _CMVN = "model.pt", "am.mvn"

#: A frame is speech when P(silence) is below this, that is when P(speech) is greater by FunASR's 0.6: where
#: both would be equal no float32 lies, and torch compares with the next above it.
_SPEECH_BELOW = 0.2

#: Taken at a time, however long a block is, so that memory is bounded: as much as a recording's chunk.
_PIECE_SAMPLES = 10 * SAMPLE_RATE_HZ


class VoiceActivityDetector:
    """One loaded FSMN-VAD; any number of streams in any threads share its weights."""

    def __init__(self, network: VadNetwork) -> None:
        self._network = network
        self._filter_bank = FilterBank(torch.device("cpu"))

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Load the weights in `folder` onto the CPU, and let torch use `threads` threads in this process.

        Raises:
            StartupError: the weights are missing or damaged.
        """
        missing = [name for name in (_WEIGHTS, _CMVN) if not (folder / name).is_file()]
        if missing:
            raise StartupError(f"the VAD weights in {folder} lack {', '.join(missing)}")
        try:
            network = VadNetwork(read_weights(folder / _WEIGHTS), read_cmvn(folder / _CMVN))
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise StartupError(f"the VAD weights in {folder} cannot be loaded: {reason}") from error
        torch.set_num_threads(threads)
        return cls(network)

    def stream(self) -> "VadStream":
        """Begin a recording."""
        return VadStream(self._network, FeatureStream(self._filter_bank))


class VadStream:
    """The edges of one recording. Used by one thread at a time."""

    def __init__(self, network: VadNetwork, features: FeatureStream) -> None:
        self._network = network
        self._memory = network.memory()
        self._features = features
        self._finder = EdgeFinder()

    def feed(self, samples: NDArray[np.int16], *, final: bool) -> list[Edge]:
        """The edges found up to the end of `samples` (mono int16 [samples] at `SAMPLE_RATE_HZ`).

        Blocks may have any length and change nothing in the result; blocks of 10 s and more are fastest.
        `final` ends the recording and closes what is open; `samples` may be empty then.
        """
        edges: list[Edge] = []
        for begin in range(0, max(len(samples), 1), _PIECE_SAMPLES):
            end = begin + _PIECE_SAMPLES
            is_last = final and end >= len(samples)
            silence = self._silence(samples[begin:end], final=is_last)
            edges += self._finder.feed(silence.lt(_SPEECH_BELOW).tolist(), final=is_last)
        return edges

    @torch.inference_mode()
    def _silence(self, samples: NDArray[np.int16], *, final: bool) -> Tensor:
        """P(silence) of the frames that `samples` complete: float32 [frames]."""
        features = self._features.feed(torch.from_numpy(samples.astype(np.float32)), final=final)
        return self._network(features, self._memory) if len(features) else torch.empty(0)
