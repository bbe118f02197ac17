"""Ways to recognise the same speech, timed in turn, round by round."""

import statistics
import time
from collections.abc import Callable, Sequence

from actors.engines.base import Row
from loadtest.bench import speech


class Way:
    """Something that recognises batches, and how fast it was in each round."""

    def __init__(
        self, recognize: Callable[[Sequence[Row]], object], batches: Sequence[Sequence[Row]]
    ) -> None:
        self._recognize = recognize
        self._batches = batches
        self._audio_s = sum(map(speech.audio_s, batches))
        self._rtfx: list[float] = []
        recognize(batches[-1])  # so that it is warm

    def add_round(self) -> None:
        """Measure once more."""
        began_s = time.perf_counter()
        for batch in self._batches:
            self._recognize(batch)
        self._rtfx.append(self._audio_s / (time.perf_counter() - began_s))

    @property
    def rtfx(self) -> float:
        """Seconds of audio per second, the median of the rounds."""
        return statistics.median(self._rtfx)

    def against(self, other: "Way") -> float:
        """How many times as fast as another, the median of the rounds' ratios."""
        return statistics.median(
            ours / theirs
            for ours, theirs in zip(self._rtfx, other._rtfx, strict=True)  # noqa: SLF001
        )


def one_by_one(segments: Sequence[Row]) -> list[list[Row]]:
    """Each alone."""
    return [[row] for row in segments]
