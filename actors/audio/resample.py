"""Brings decoded frames to 16 kHz mono, with FFmpeg's own resampler."""

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from numpy.typing import NDArray

from actors.errors import UnreadableAudio
from actors.records import SAMPLE_RATE_HZ

#: Mono samples at `SAMPLE_RATE_HZ`: int16 [samples].
Pcm = NDArray[np.int16]

#: Below, a second of input would swell to hours; above is no recording.
_SANE_RATES_HZ = range(4_000, 768_001)


class Resampler:
    """Takes frames of any format, also of one that changes on the way."""

    def __init__(self) -> None:
        self._inner = _to_pcm()
        self._source: tuple[int, str, str] | None = None

    def push(self, frame: AudioFrame) -> Iterator[Pcm]:
        """The samples that `frame` completes.

        Raises:
            UnreadableAudio: the frame's sample rate is absurd.
            FFmpegError: the frame cannot be converted.
        """
        if frame.sample_rate not in _SANE_RATES_HZ:
            raise UnreadableAudio(f"the file claims a sample rate of {frame.sample_rate} Hz")
        source = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self._source not in {None, source}:
            yield from self.flush()
        self._source = source
        yield from map(_array, self._inner.resample(frame))

    def flush(self) -> Iterator[Pcm]:
        """The samples still inside."""
        inner, self._inner = self._inner, _to_pcm()
        try:
            rest: list[AudioFrame | None] = [*inner.resample(None)]
        except FFmpegError:
            return  # it failed to be set up, and so holds nothing
        # A resampler without work to do hands the None back.
        yield from (_array(frame) for frame in rest if frame is not None)


def _to_pcm() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)


def _array(frame: AudioFrame) -> Pcm:
    samples: Pcm = frame.to_ndarray()[0]
    return samples
