"""FSMN-VAD as FunASR itself runs it: what our own must be equal to."""

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray

from actors.audio.edges import Edge, SpeechEnd, SpeechStart
from actors.funasr_quiet import quiet

Pcm = NDArray[np.int16]

#: Every parameter of FunASR's `VADXOptions`, so that an upgrade that changes a default changes nothing here.
OPTIONS = {
    "sample_rate": 16_000,
    "detect_mode": 1,  # many utterances; 0 would stop after the first
    "snr_mode": 0,
    "max_end_silence_time": 800,
    "max_start_silence_time": 3000,  # only for detect_mode 0
    "do_start_point_detection": True,
    "do_end_point_detection": True,
    "window_size_ms": 200,
    "sil_to_speech_time_thres": 150,
    "speech_to_sil_time_thres": 150,
    "speech_2_noise_ratio": 1.0,
    "do_extend": 1,
    "lookback_time_start_point": 200,
    "lookahead_time_end_point": 100,
    "max_single_segment_time": 86_400_000,  # a day: it would cut inside a word
    "nn_eval_block_size": 8,
    "dcd_block_size": 4,
    "snr_thres": -100.0,
    "noise_frame_num_used_for_snr": 100,
    "decibel_thres": -100.0,
    "speech_noise_thres": 0.6,
    "fe_prior_thres": 1e-4,
    "silence_pdf_num": 1,
    "sil_pdf_ids": (0,),
    "speech_noise_thresh_low": -0.1,
    "speech_noise_thresh_high": 0.3,
    "output_frame_probs": False,
    "frame_in_ms": 10,
    "frame_length_ms": 25,
}  # fmt: skip

#: FunASR takes the logarithm of a probability and of its complement, and fails where either is 0.
_PROBABILITY_MARGIN = 1e-7


class Heard(Struct, frozen=True):
    """All of a recording: its edges, P(silence) and whether it is speech, both per frame."""

    edges: list[Edge]
    silence: NDArray[np.float32]
    speech: NDArray[np.bool_]


class FunasrVad:
    """One loaded model."""

    def __init__(self, folder: Path) -> None:
        with quiet():
            # FunASR knows what has been imported, which is not all where the engine came first.
            import funasr.frontends.wav_frontend
            import funasr.models.fsmn_vad_streaming.encoder  # noqa: F401 - importing registers
            from funasr import AutoModel
            from funasr.models.fsmn_vad_streaming.model import VADXOptions

            loaded = AutoModel(
                model=str(folder),
                device="cpu",
                ncpu=torch.get_num_threads(),
                disable_update=True,
                disable_pbar=True,
                disable_log=True,
                log_level="ERROR",
            )
        self.model: Any = loaded.model
        self.frontend: Any = loaded.kwargs["frontend"]
        self.frontend.dither = 0.0
        self.options: Any = VADXOptions(**OPTIONS)
        self.model.vad_opts = self.options

    def offline(self, audio: Pcm) -> list[tuple[int, int]]:
        """What FunASR's own inference, which reads blocks of 60 s, finds: (start_ms, end_ms)."""
        results, _ = self.model.inference(
            [_wave(audio)[0].numpy()],
            key=["audio"],
            frontend=self.frontend,
            cache={},
            chunk_size=60_000,
            device="cpu",
            dynamic_silence=False,
            is_final=True,
        )
        return [(start_ms, end_ms) for start_ms, end_ms in results[0]["value"]]

    def edges(self, blocks: Iterable[Pcm]) -> list[Edge]:
        """Only the edges of a recording that is fed in these blocks: nothing else is kept, for timing."""

        def clamp(_module: Any, _inputs: Any, probabilities: Any) -> Any:
            return probabilities.clamp(_PROBABILITY_MARGIN, 1 - _PROBABILITY_MARGIN)

        hook = self.model.encoder.register_forward_hook(clamp)
        try:
            return list(self._edges(self._copy(), [*blocks, np.empty(0, np.int16)]))
        finally:
            hook.remove()

    def hear(self, blocks: Iterable[Pcm]) -> Heard:
        """Everything about a recording that is fed in these blocks."""
        model = self._copy()
        silence: list[NDArray[np.float32]] = []
        speech: list[bool] = []

        def keep_probabilities(_module: Any, _inputs: Any, probabilities: Any) -> Any:
            silence.append(probabilities[0, :, 0].numpy().copy())
            return probabilities.clamp(_PROBABILITY_MARGIN, 1 - _PROBABILITY_MARGIN)

        def keep_state(*args: Any, **kwargs: Any) -> Any:
            state = type(model).GetFrameState(model, *args, **kwargs)
            speech.append(state.value == 1)
            return state

        model.GetFrameState = keep_state
        hook = model.encoder.register_forward_hook(keep_probabilities)
        try:
            edges = list(self._edges(model, [*blocks, np.empty(0, np.int16)]))
        finally:
            hook.remove()
        return Heard(edges, np.concatenate([np.empty(0, np.float32), *silence]), np.array(speech, bool))

    def edges_of(self, speech: list[bool], block_frames: int) -> list[Edge]:
        """The edges of frames that are speech or not, whatever the network says; one frame at least."""
        from funasr.models.fsmn_vad_streaming.model import FrameState

        model = self._copy()
        cache = model.init_cache({})

        def given(frame: int, cache: Any) -> Any:
            return FrameState(int(speech[frame + cache["stats"].last_drop_frames]))

        model.GetFrameState = given
        edges: list[Edge] = []
        for begin in range(0, len(speech), block_frames):
            count = min(block_frames, len(speech) - begin)
            with torch.inference_mode():
                batches = model(
                    torch.zeros(1, count, 400),
                    torch.zeros(1, count * 160 + 240),
                    cache=cache,
                    is_final=begin + count == len(speech),
                    is_streaming_input=True,
                )
            edges += _edges(batches)
        return edges

    def _copy(self) -> Any:
        # FunASR keeps the length of the block at hand in the options.
        model = copy.copy(self.model)
        model.vad_opts = copy.copy(self.options)
        return model

    def _edges(self, model: Any, blocks: list[Pcm]) -> Iterator[Edge]:
        cache = model.init_cache({})
        for index, block in enumerate(blocks):
            is_final = index == len(blocks) - 1
            wave = _wave(block)
            with torch.inference_mode():
                features, _ = self.frontend(
                    wave, [wave.shape[1]], cache=cache["frontend"], is_final=is_final, return_waveform=True
                )
                waveform = cache["frontend"]["aligned_waveforms"]
                batches = model(features, waveform, cache=cache, is_final=is_final, is_streaming_input=True)
            yield from _edges(batches)


def _wave(samples: Pcm) -> torch.Tensor:
    return torch.from_numpy(samples.astype(np.float32) / (1 << 15))[None]


def _edges(batches: Iterable[Iterable[tuple[int, int]]]) -> Iterator[Edge]:
    """FunASR's spans as edges; -1 stands for a side reported earlier or not yet known."""
    for spans in batches:
        for start_ms, end_ms in spans:
            if start_ms >= 0:
                yield SpeechStart(start_ms)
            if end_ms >= 0:
                yield SpeechEnd(end_ms)
