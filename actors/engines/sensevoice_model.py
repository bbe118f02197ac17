"""SenseVoice without FunASR's `generate()`: a batch of segments to the token of each frame."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.engines.base import Row
from actors.engines.sensevoice_encoder import encode
from actors.engines.sensevoice_features import Frontend
from actors.engines.sensevoice_words import QUERIES

#: Rows of `model.embed`, put in front of the features in this order: language, event, emotion, ITN.
#: From `funasr.models.sense_voice.model.SenseVoiceSmall`: `lid_dict` and `textnorm_dict`.
LANGUAGE_QUERIES: Final = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12, "nospeech": 13}
_EVENT_QUERY, _EMOTION_QUERY = 1, 2
_ITN_QUERIES = {True: 14, False: 15}

#: Frames whose logits exist at a time: on a CPU they stay near the cache, on a GPU they fill it.
_LOGIT_FRAMES = {"cpu": 256, "cuda": 8192}

#: The likeliest token of each output frame, the queries' included: int32 [frames].
Path = NDArray[np.int32]


class SenseVoiceModel:
    """The loaded weights on one device. Used by one thread at a time."""

    def __init__(self, model: Any, frontend: Frontend, device: torch.device, dtype: torch.dtype) -> None:
        # The queries stay in float32, as the features are: the encoder turns both to `dtype`.
        model.encoder.to(dtype)
        model.ctc.to(dtype)
        self._model = model
        self._frontend = frontend
        self._device = device
        self._dtype = dtype

    @torch.inference_mode()
    def paths(self, rows: Sequence[Row]) -> list[Path]:
        """The greedy CTC path of each row; it does not depend on the rows beside it."""
        hidden, counts = self.encode(rows)
        best = [part.argmax(-1).int() for part in self._logits(hidden[counts])]
        path = torch.cat(best).cpu().numpy()
        ends = counts.sum(1).cumsum(0).tolist()
        return np.split(path, ends[:-1])

    @torch.inference_mode()
    def logits(self, rows: Sequence[Row]) -> list[Tensor]:
        """The logits of each row, float [frames, vocabulary]; large, so meant for comparisons."""
        hidden, counts = self.encode(rows)
        return [torch.cat(list(self._logits(row[keep]))) for row, keep in zip(hidden, counts, strict=True)]

    def encode(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        """Hidden states [rows, frames, size] and which of them count, bool [rows, frames]."""
        features, frames = self._frontend([row.samples for row in rows])
        inputs = torch.cat((self._queries(rows), features), dim=1)
        lengths = torch.tensor(frames, device=self._device) + QUERIES
        return encode(self._model.encoder, inputs, lengths, self._dtype)

    def _queries(self, rows: Sequence[Row]) -> Tensor:
        found: Tensor = self._model.embed(torch.tensor(list(map(queries, rows)), device=self._device))
        return found

    def _logits(self, hidden: Tensor) -> "map[Tensor]":
        return map(self._model.ctc.ctc_lo, torch.split(hidden, _LOGIT_FRAMES[self._device.type]))


def queries(row: Row) -> tuple[int, int, int, int]:
    """The rows of `model.embed` that ask for what a row is to be."""
    return LANGUAGE_QUERIES[row.language], _EVENT_QUERY, _EMOTION_QUERY, _ITN_QUERIES[row.itn]
