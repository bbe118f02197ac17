"""What an instance asks of a speech recognition engine."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from actors.records import Capabilities, Language, Word

#: Mono samples in [-1, 1) at `SAMPLE_RATE_HZ`: float32 [samples].
Samples = NDArray[np.float32]

#: What a model calculates in.
Precision = Literal["float32", "float16", "bfloat16", "int8"]


class Row(Struct, frozen=True, kw_only=True):
    """One segment of a batch, with options of its own."""

    samples: Samples
    language: Language
    itn: bool


class Hypothesis(Struct, frozen=True, kw_only=True):
    """What an engine made of one row; word times count from the start of the row."""

    text: str
    language: str
    emotion: str | None = None
    event: str | None = None
    words: tuple[Word, ...] | None = None


class Engine(Protocol):
    """A model on one device. Used by one thread at a time."""

    @property
    def capabilities(self) -> Capabilities:
        """What the engine can do; known before it is loaded."""
        ...

    @property
    def pads(self) -> bool:
        """Whether batches should be of rows of like length, as all are filled up to the longest.

        Known once it is loaded.
        """
        ...

    def load(self, device: str, threads: int) -> None:
        """Load the weights onto `device` (`cpu` or `cuda`), using `threads` CPU threads.

        Raises:
            StartupError: the weights are missing or damaged, or the device cannot be used.
        """
        ...

    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Recognise the rows, each at most `MAX_SEGMENT_MS` long, in their order.

        Raises:
            OutOfMemory: the device has no room for so much at once.
            DeviceLost: the device does not work any more; this process is then replaced.
            RecognitionFailed: the batch could not be recognised for another reason.
        """
        ...
