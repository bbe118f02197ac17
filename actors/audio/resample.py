"""Brings decoded frames to 16 kHz mono, with FFmpeg's own resampler."""

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
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
        #: None until a frame has been converted: one that failed to be set up crashes when it is used again.
        self._inner: AudioResampler | None = None
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
        if _is_pcm(frame):  # setting up a resampler takes as long as decoding several seconds
            yield _array(frame)
            return
        inner = self._inner or AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        converted = inner.resample(frame)
        self._inner = inner
        yield from map(_array, converted)

    def flush(self) -> Iterator[Pcm]:
        """The samples still inside."""
        inner, self._inner = self._inner, None
        rest: list[AudioFrame | None] = [*inner.resample(None)] if inner else []
        # A resampler without work to do hands the None back.
        yield from (_array(frame) for frame in rest if frame is not None)


def _is_pcm(frame: AudioFrame) -> bool:
    rate_hz, form, channels = frame.sample_rate, frame.format.name, frame.layout.nb_channels
    return (rate_hz, form, channels) == (SAMPLE_RATE_HZ, "s16", 1)


def _array(frame: AudioFrame) -> Pcm:
    samples: Pcm = frame.to_ndarray()[0]
    return samples
