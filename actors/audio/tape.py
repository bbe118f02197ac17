"""The stretch of a recording that may still be needed."""

import numpy as np
from numpy.typing import NDArray

from actors.records import SAMPLE_RATE_HZ

_SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000


class Tape:
    """Samples that are appended at the end and forgotten at the beginning, addressed by their time."""

    def __init__(self) -> None:
        self._start_ms = 0
        self._samples: NDArray[np.int16] = np.empty(0, np.int16)

    @property
    def start_ms(self) -> int:
        """The earliest time still held."""
        return self._start_ms

    @property
    def end_ms(self) -> int:
        """The length of the recording so far, in whole milliseconds."""
        return self._start_ms + len(self._samples) // _SAMPLES_PER_MS

    def append(self, samples: NDArray[np.int16]) -> None:
        """Add what was recorded next."""
        self._samples = np.concatenate((self._samples, samples))

    def read(self, start_ms: int, end_ms: int) -> NDArray[np.int16]:
        """A view of the samples between two times that are held."""
        first = (start_ms - self._start_ms) * _SAMPLES_PER_MS
        return self._samples[first : first + (end_ms - start_ms) * _SAMPLES_PER_MS]

    def forget(self, before_ms: int) -> None:
        """Drop what lies before a time."""
        if before_ms > self._start_ms:
            self._samples = self._samples[(before_ms - self._start_ms) * _SAMPLES_PER_MS :]
            self._start_ms = before_ms
