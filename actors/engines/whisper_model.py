"""Whisper on CTranslate2: features in, decoded rows out."""

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np
import tokenizers
from ctranslate2 import StorageView

from actors.engines import cublas
from actors.engines.base import Precision
from actors.engines.whisper_features import Features
from actors.engines.whisper_rules import Decoded
from actors.errors import RecognitionFailed
from actors.records import Language

#: On the second try no run of so many tokens may occur twice.
_RETRY_NGRAM_TOKENS = 6
_RETRY_BEAMS = 5


class WhisperModel:
    """The loaded weights and their tokenizer."""

    def __init__(self, folder: Path, device: str, threads: int, precision: Precision) -> None:
        self._on_cpu = device == "cpu"
        if not self._on_cpu:
            cublas.load()
        self._model = ctranslate2.models.Whisper(
            str(folder), device, compute_type=precision, intra_threads=threads
        )
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        start, transcribe, no_timestamps = map(
            self._id, ("<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>")
        )
        self._before_language, self._after_language = [start], [transcribe, no_timestamps]

    def transcribe(
        self, features: Sequence[Features], languages: Sequence[Language], max_tokens: int, *, retry: bool
    ) -> list[Decoded]:
        """Decode rows of equal length, each in its own language.

        An `auto` row is decoded in the likeliest of all languages Whisper knows.
        A retry searches wider and allows no repetition.
        """
        encoded = self._encode(features)
        spoken = self._languages(encoded, languages)
        results = self._model.generate(
            encoded,
            [[*self._before_language, self._id(f"<|{code}|>"), *self._after_language] for code in spoken],
            beam_size=_RETRY_BEAMS if retry else 1,
            no_repeat_ngram_size=_RETRY_NGRAM_TOKENS if retry else 0,
            max_length=2
            * max_tokens,  # CTranslate2 halves it: Whisper keeps half of its window for the prompt
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            self._decoded(result, code, max_tokens, retry=retry)
            for result, code in zip(results, spoken, strict=True)
        ]

    def _encode(self, features: Sequence[Features]) -> StorageView:
        """Hidden states: float32 [rows, frames / 2, 512]."""
        if not self._on_cpu:
            return self._model.encode(StorageView.from_array(np.stack(features)))
        # Together they would be no faster here, and take a hundred megabytes a row.
        rows = [self._model.encode(StorageView.from_array(row[np.newaxis])) for row in features]
        return StorageView.from_array(np.concatenate([np.array(row) for row in rows]))

    def _languages(self, encoded: StorageView, languages: Sequence[Language]) -> list[str]:
        if "auto" not in languages:
            return list(languages)
        likeliest = [ranking[0][0].strip("<|>") for ranking in self._model.detect_language(encoded)]
        return [
            heard if given == "auto" else given for given, heard in zip(languages, likeliest, strict=True)
        ]

    def _decoded(
        self,
        result: ctranslate2.models.WhisperGenerationResult,
        language: str,
        max_tokens: int,
        *,
        retry: bool,
    ) -> Decoded:
        (tokens,) = result.sequences_ids
        return Decoded(
            text=self._tokenizer.decode(tokens).strip(),
            language=language,
            tokens=len(tokens),
            max_tokens=max_tokens,
            # CTranslate2 divides by the tokens alone, OpenAI counts the end of text too.
            logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            retried=retry,
        )

    def _id(self, token: str) -> int:
        number: int | None = self._tokenizer.token_to_id(token)
        if number is None:
            raise RecognitionFailed(f"Whisper base has no token {token}")
        return number
