"""The embedded engine: Whisper base, sure of itself or silent."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from actors import weights
from actors.engines import whisper_rules as rules
from actors.engines.base import Hypothesis, Precision, Row
from actors.engines.whisper_features import FRAMES_PER_S, log_mel
from actors.errors import RecognitionFailed, StartupError
from actors.records import SAMPLE_RATE_HZ, Capabilities

if TYPE_CHECKING:
    from actors.engines.whisper_model import WhisperModel

#: The language of a row without speech whose language was not given.
NO_SPEECH = "nospeech"

#: What each device is fastest in.
_PRECISIONS: Final[dict[str, Precision]] = {"cpu": "int8", "cuda": "float16"}

#: Whisper was trained on clips of 30 s, filled up with silence.
FULL_FRAMES = 30 * FRAMES_PER_S

#: Encoding 30 s costs ten times as much as 10 s. Filled up by 5 s a row is recognised as well as in 30 s;
#: filled up by 1 s it is heard two or three times over.
_SILENCE_FRAMES = 5 * FRAMES_PER_S
#: Rows are decoded together when they round up to the same length.
_STEP_FRAMES = 5 * FRAMES_PER_S // 2

#: Decoded together on a CPU: it bounds the memory.
_CPU_BATCH_FRAMES = 2 * FULL_FRAMES


class WhisperEngine:
    """Whisper base: 99 languages, one text per row, no timestamps."""

    pads = True

    capabilities = Capabilities(
        model="whisper-base",
        languages=("auto", "zh", "en", "ja", "ko"),
        itn=False,
        emotion=False,
        words=False,
    )

    _model: "WhisperModel"
    _on_cpu: bool
    _precision: Precision | None

    def __init__(self, precision: Precision | None = None) -> None:
        self._precision = precision

    def load(self, device: str, threads: int) -> None:
        """Load the weights: int8 on a CPU and float16 on a GPU, unless a precision was named.

        Raises:
            StartupError: the weights are missing or damaged, or the device or the precision cannot be used.
        """
        # Here and not above: whoever only asks for the capabilities must not pay for the libraries.
        from actors.engines.whisper_model import WhisperModel

        folder = weights.verify("whisper-base")
        self._on_cpu = device == "cpu"
        try:
            precision: Precision = self._precision or _PRECISIONS[device]
            self._model = WhisperModel(folder, device, threads, precision)
        except (RuntimeError, ValueError) as error:
            raise StartupError(f"Whisper cannot be loaded on {device}: {error}") from error

    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Recognise the rows; what a row becomes does not depend on the rows beside it.

        A row without speech has an empty text, and the language `NO_SPEECH` unless its own was given.

        Raises:
            RecognitionFailed: the model failed, or does not know a row's language.
        """
        audible = [index for index, row in enumerate(batch) if rules.may_hold_speech(row.samples)]
        decoded: dict[int, rules.Decoded] = {}
        try:
            for frames, group in self._groups(batch, audible):
                decoded |= self._transcribe(batch, group, frames, retry=False)
            stuck = [index for index in audible if decoded[index].needs_retry]
            for group in self._batches(stuck, FULL_FRAMES):
                decoded |= self._transcribe(batch, group, FULL_FRAMES, retry=True)
        except RuntimeError as error:
            raise RecognitionFailed(f"Whisper: {error}") from error
        return [_hypothesis(row, decoded.get(index)) for index, row in enumerate(batch)]

    def _groups(self, batch: Sequence[Row], indices: Iterable[int]) -> Iterator[tuple[int, list[int]]]:
        """Rows that can be decoded together, and the number of feature frames that they share."""
        frames = {index: self._frames(batch[index]) for index in indices}
        for length, group in itertools.groupby(
            sorted(frames, key=frames.__getitem__), key=frames.__getitem__
        ):
            for part in self._batches(list(group), length):
                yield length, part

    def _batches(self, indices: list[int], frames: int) -> Iterator[list[int]]:
        rows = _CPU_BATCH_FRAMES // frames if self._on_cpu else max(1, len(indices))
        for start in range(0, len(indices), rows):
            yield indices[start : start + rows]

    def _frames(self, row: Row) -> int:
        # A GPU gains more from one large batch than from short rows.
        if not self._on_cpu:
            return FULL_FRAMES
        wanted = _speech_frames(row) + _SILENCE_FRAMES
        return min(FULL_FRAMES, -(-wanted // _STEP_FRAMES) * _STEP_FRAMES)

    def _transcribe(
        self, batch: Sequence[Row], group: list[int], frames: int, *, retry: bool
    ) -> dict[int, rules.Decoded]:
        rows = [batch[index] for index in group]
        results = self._model.transcribe(
            [log_mel(row.samples, frames) for row in rows],
            [row.language for row in rows],
            rules.max_tokens(frames),
            retry=retry,
        )
        return dict(zip(group, results, strict=True))


def _speech_frames(row: Row) -> int:
    return len(row.samples) * FRAMES_PER_S // SAMPLE_RATE_HZ


def _hypothesis(row: Row, decoded: rules.Decoded | None) -> Hypothesis:
    if decoded is not None and decoded.is_speech:
        return Hypothesis(text=decoded.text, language=decoded.language)
    return Hypothesis(text="", language=NO_SPEECH if row.language == "auto" else row.language)
