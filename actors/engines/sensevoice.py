"""The product's engine: SenseVoiceSmall on FunASR's weights, in batches of our own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors import settings, weights
from actors.engines import sensevoice_folder
from actors.engines import sensevoice_tags as tags
from actors.engines import sensevoice_words as words
from actors.engines.base import Hypothesis, Precision, Row
from actors.engines.sensevoice_folder import WEIGHTS
from actors.errors import DeviceLost, OutOfMemory, RecognitionFailed, StartupError
from actors.records import SAMPLE_RATE_HZ, Capabilities

if TYPE_CHECKING:
    from actors.engines.int8.model import Int8Model
    from actors.engines.sensevoice_features import Frontend
    from actors.engines.sensevoice_loading import Parts
    from actors.engines.sensevoice_model import Path as TokenPath
    from actors.engines.sensevoice_model import SenseVoiceModel
    from actors.engines.sensevoice_tokenizer import Tokenizer

#: The name of the weights in the manifest.
NAME = "sensevoice-small"

#: What can be chosen on a device, the usual one first; int8 where the processor has instructions for it.
#: float16 keeps three bits more than bfloat16, and so stays nearer to float32's text.
_PRECISIONS: dict[str, tuple[Precision, ...]] = {
    "cpu": ("int8", "float32", "bfloat16", "float16"),
    "cuda": ("float16", "float32", "bfloat16"),
}

#: Anything shorter does not fill a window of the front end.
_SHORTEST_SAMPLES = SAMPLE_RATE_HZ * 25 // 1000


def precisions(device: str) -> tuple[Precision, ...]:
    """What SenseVoice can calculate in on a device of this machine, the usual one first."""
    from actors.engines.int8 import processor

    possible = _PRECISIONS[device]
    return possible if processor.multiplies_integers() else tuple(name for name in possible if name != "int8")


class SenseVoiceEngine:
    """Text, language, emotion, events and word times in five languages.

    `folder`: weights in FunASR's format, used as they are; without it the manifest's, verified.
    `precision`: unless named, float16 on a GPU; int8 on a CPU that can, else float32.
    """

    _model: "SenseVoiceModel | Int8Model"
    _tokenizer: "Tokenizer"

    def __init__(self, folder: Path | None = None, precision: Precision | None = None) -> None:
        self._folder = folder
        self._precision = precision
        self.pads = True
        self.capabilities = Capabilities(
            model=NAME if folder is None else folder.resolve().name,
            languages=("auto", "zh", "en", "ja", "ko", "yue"),
            itn=True,
            emotion=True,
            words=True,
        )

    def load(self, device: str, threads: int) -> None:
        """Load the weights onto `device`.

        Raises:
            StartupError: the weights are missing or damaged, or the device or the precision cannot be used.
        """
        # Here and not above: whoever only asks for the capabilities must not pay for the libraries.
        import torch

        from actors.engines import sensevoice_loading as loading
        from actors.engines.sensevoice_tokenizer import Tokenizer

        possible = precisions(device)
        precision = self._precision or possible[0]
        if precision not in possible:
            raise StartupError(
                f"SenseVoice on this {device} calculates in {', '.join(possible)}, not in {precision}"
            )
        if device != "cpu" and not torch.cuda.is_available():
            raise StartupError("SenseVoice cannot be loaded on a GPU: torch sees none")
        folder = weights.verify(NAME) if self._folder is None else sensevoice_folder.check(self._folder)
        torch.set_num_threads(threads)
        parts = loading.parts(folder)
        try:
            self._model = _model(parts, folder, device, precision, threads)
            self.pads = precision != "int8"
        except RuntimeError as error:
            raise StartupError(f"SenseVoice cannot be loaded on {device}: {error}") from error
        self._tokenizer = Tokenizer(parts.tokenizer)

    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Recognise the rows in one pass; what a row becomes does not depend on the rows beside it.

        The language is what the model heard; where it heard no speech, it is the row's own, where given.

        Raises:
            OutOfMemory: the device has no room for so much at once.
            DeviceLost: the device does not work any more.
            RecognitionFailed: the model failed otherwise.
        """
        heard = [index for index, row in enumerate(batch) if len(row.samples) >= _SHORTEST_SAMPLES]
        try:
            paths = self._model.paths([batch[index] for index in heard]) if heard else []
        except RuntimeError as error:
            raise _failure(error) from error
        found = dict(zip(heard, paths, strict=True))
        return [
            self._hypothesis(row, found[index]) if index in found else _silence(row)
            for index, row in enumerate(batch)
        ]

    def _hypothesis(self, row: Row, path: "TokenPath") -> Hypothesis:
        tokens = words.tokens(path)
        rich = tags.parse(self._tokenizer.text([token.id for token in tokens]))
        if rich.language == tags.NO_SPEECH:
            return _silence(row, rich)
        spoken = [token for token in tokens if token.end_frame > words.QUERIES]
        pieces = [words.piece(self._tokenizer.piece(token.id), token) for token in spoken]
        return Hypothesis(
            text=rich.text,
            language=rich.language or row.language,
            emotion=rich.emotion,
            event=rich.event,
            words=words.words(pieces),
        )


def _model(
    parts: "Parts", folder: Path, device: str, precision: Precision, threads: int
) -> "SenseVoiceModel | Int8Model":
    """The weights on a device, ready for use."""
    import torch

    from actors.engines import sensevoice_loading as loading
    from actors.engines.sensevoice_features import Frontend
    from actors.engines.sensevoice_model import SenseVoiceModel

    def filled() -> Any:
        parts.model.load_state_dict(loading.weights(parts.model, folder), assign=True)
        return parts.model

    place = torch.device(device)
    frontend = Frontend(parts.cmvn, place)
    if precision == "int8":
        return _int8_model(filled, folder, frontend, threads)
    return SenseVoiceModel(filled().to(place), frontend, place, getattr(torch, precision))


def _int8_model(filled: Callable[[], Any], folder: Path, frontend: "Frontend", threads: int) -> "Int8Model":
    """The weights in integers, which the first instance makes for all; `filled`: FunASR's model."""
    from actors.engines.int8 import weights as integers
    from actors.engines.int8.model import Int8Model

    def make() -> integers.Weights:
        model = filled()
        made = integers.Weights.of(model)
        model.to("meta")  # lets go of the file, 0.9 GB of it
        return made

    kept = settings.STATE_DIR / "int8"
    with integers.one_at_a_time(kept):  # all would compile at once
        return Int8Model(integers.mapped(folder / WEIGHTS, kept, make), frontend, threads)


def _failure(error: RuntimeError) -> RecognitionFailed:
    """What a failure of torch means."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return OutOfMemory(f"SenseVoice: {error}")
    # After an error of CUDA nothing works any more until the process is another one.
    lost = isinstance(error, torch.AcceleratorError)
    return (DeviceLost if lost else RecognitionFailed)(f"SenseVoice: {error}")


def _silence(row: Row, rich: tags.Rich = tags.Rich(text="")) -> Hypothesis:  # noqa: B008 - frozen
    return Hypothesis(
        text="",
        language=tags.NO_SPEECH if row.language == "auto" else row.language,
        emotion=rich.emotion,
        event=rich.event,
        words=(),
    )
