"""Writes sound and pictures as files, with the encoders inside PyAV."""

import io
import wave
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actors.records import SAMPLE_RATE_HZ

Pcm = NDArray[np.int16]


def encode(  # noqa: PLR0913, each is a property of the file
    samples: Pcm,
    muxer: str,
    codec: str | None,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    layout: str = "mono",
    options: dict[str, str] | None = None,
    video: str | None = None,
) -> bytes:
    """A file of 16 kHz mono samples: `encode(samples, "mp3", "libmp3lame", rate_hz=44_100)`.

    Without a codec it holds no sound, with `video` it holds ten black pictures.
    """
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        picture = container.add_stream(video, rate=25) if video else None
        if isinstance(picture, VideoStream):
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
        sound = container.add_stream(codec, rate=rate_hz, options=options or {}) if codec else None
        if isinstance(sound, AudioStream):
            sound.layout = layout
        container.start_encoding()
        if isinstance(picture, VideoStream):
            _add_video(container, picture)
        if isinstance(sound, AudioStream):
            _add_audio(container, sound, samples)
    return file.getvalue()


def _add_audio(container: OutputContainer, stream: AudioStream, samples: Pcm) -> None:
    context = stream.codec_context
    resampler = AudioResampler(
        context.format, context.layout, context.sample_rate, context.frame_size or 1024
    )
    for source in (*_frames(samples), None):
        for frame in resampler.resample(source):
            container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _frames(samples: Pcm) -> Iterator[av.AudioFrame]:
    """In frames of at most a minute: FFmpeg resamples no frame of hours."""
    for start in range(0, max(len(samples), 1), 60 * SAMPLE_RATE_HZ):
        part = samples[start : start + 60 * SAMPLE_RATE_HZ]
        source = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="s16", layout="mono")
        source.sample_rate = SAMPLE_RATE_HZ
        source.time_base = Fraction(1, SAMPLE_RATE_HZ)
        source.pts = start
        yield source


def _add_video(container: OutputContainer, stream: VideoStream) -> None:
    for number in range(10):
        black = av.VideoFrame(64, 64, "yuv420p")
        black.pts = number
        container.mux(stream.encode(black))
    container.mux(stream.encode(None))


def wav(samples: NDArray[Any], rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Samples, int16 [samples], as a wav file; by the standard library, so that it may be empty."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(samples.astype(np.int16).tobytes())
    return file.getvalue()
