"""Frames of any format become 16 kHz mono; one that cannot be converted does no harm to those after it."""

import io
import wave
from collections.abc import Iterator

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.error import ArgumentError

from actors.audio.resample import Resampler
from actors.records import SAMPLE_RATE_HZ


def frames(channels: int, seconds: int = 1) -> Iterator[AudioFrame]:
    """What a wav of silence with so many channels is decoded to."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(48_000)
        writer.writeframes(bytes(seconds * 48_000 * channels * 2))
    file.seek(0)
    with av.open(file, "r", format="wav") as container:
        yield from container.decode(audio=0)


def test_one_that_was_never_set_up_is_not_used_again() -> None:
    """FFmpeg converts no 200 channels, and crashes when what could not be set up for them gets more."""
    resampler = Resampler()

    for frame in frames(200):
        with pytest.raises(ArgumentError):
            list(resampler.push(frame))

    assert list(resampler.flush()) == []
    rest = [samples for frame in frames(2) for samples in resampler.push(frame)]
    assert len(np.concatenate([*rest, *resampler.flush()])) == SAMPLE_RATE_HZ
