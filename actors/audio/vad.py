"""Voice activity detection: FunASR's FSMN-VAD as a stream of speech edges."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.audio.edges import Edge, SpeechEnd, SpeechStart
from actors.audio.vad_options import VadOptions
from actors.errors import StartupError
from actors.funasr_quiet import quiet

_FILES = ("model.pt", "am.mvn", "config.yaml", "configuration.json")

#: FunASR takes the logarithm of a probability and of its complement, and fails where either is 0.
_PROBABILITY_MARGIN = 1e-7


class VoiceActivityDetector:
    """One loaded FSMN-VAD; any number of streams in any threads share its weights."""

    def __init__(self, model: Any, frontend: Any, options: Any) -> None:
        self._model = model
        self._frontend = frontend
        self._options = options

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Load the weights in `folder` onto the CPU, and let torch use `threads` threads in this process.

        Raises:
            StartupError: the weights are missing or damaged.
        """
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:  # FunASR would look for a model of that name in its hub
            raise StartupError(f"the VAD weights in {folder} lack {', '.join(missing)}")
        with quiet():
            from funasr import AutoModel
            from funasr.models.fsmn_vad_streaming.model import VADXOptions

            try:
                loaded = AutoModel(
                    model=str(folder),
                    device="cpu",
                    ncpu=threads,
                    disable_update=True,
                    disable_pbar=True,
                    disable_log=True,
                    log_level="ERROR",
                )
            except Exception as error:
                raise StartupError(f"the VAD weights in {folder} cannot be loaded: {error}") from error
        loaded.model.encoder.register_forward_hook(_keep_from_0_and_1)
        frontend = loaded.kwargs["frontend"]
        frontend.dither = 0.0
        return cls(loaded.model, frontend, VADXOptions(**msgspec.structs.asdict(VadOptions())))

    def stream(self) -> "VadStream":
        """Begin a recording."""
        # FunASR keeps the length of the block at hand in the options, which streams must not share.
        model = copy.copy(self._model)
        model.vad_opts = copy.copy(self._options)
        return VadStream(model, self._frontend)


class VadStream:
    """The edges of one recording. Used by one thread at a time."""

    def __init__(self, model: Any, frontend: Any) -> None:
        self._model = model
        self._frontend = frontend
        self._cache = model.init_cache({})

    def feed(self, samples: NDArray[np.int16], *, final: bool) -> list[Edge]:
        """The edges found up to the end of `samples` (mono int16 [samples] at `SAMPLE_RATE_HZ`).

        Blocks may have any length and change nothing in the result; blocks of 5 s and more are fastest.
        `final` ends the recording and closes what is open; `samples` may be empty then.
        """
        import torch

        wave = torch.from_numpy(samples.astype(np.float32) / (1 << 15))[None]
        cache = self._cache["frontend"]
        with torch.inference_mode():
            features, _ = self._frontend(
                wave, [wave.shape[1]], cache=cache, is_final=final, return_waveform=True
            )
            batches = self._model(
                features,
                cache["aligned_waveforms"],
                cache=self._cache,
                is_final=final,
                is_streaming_input=True,
            )
        return [edge for spans in batches for start_ms, end_ms in spans for edge in _edges(start_ms, end_ms)]


def _edges(start_ms: int, end_ms: int) -> Iterator[Edge]:
    """FunASR's spans as edges; -1 stands for a side reported earlier or not yet known."""
    if start_ms >= 0:
        yield SpeechStart(start_ms)
    if end_ms >= 0:
        yield SpeechEnd(end_ms)


def _keep_from_0_and_1(_module: Any, _inputs: Any, probabilities: Any) -> Any:
    return probabilities.clamp(_PROBABILITY_MARGIN, 1 - _PROBABILITY_MARGIN)
