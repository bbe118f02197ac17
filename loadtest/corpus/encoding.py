"""Writes sound as files, with the encoders inside PyAV."""

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, cast

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.clips import samples_of
from loadtest.corpus.sound import AudioSegment

#: Format → (FFmpeg muxer, codec, sample rate of the encoded file).
ENCODINGS: Final = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "flac": ("flac", "flac", 48_000),
    "m4a": ("ipod", "aac", 44_100),
}


def encoded(audio: AudioSegment, fmt: str, *, rate_hz: int | None = None, layout: str = "mono") -> bytes:
    """16 kHz mono audio as a file of a format in `ENCODINGS`."""
    muxer, codec, default_hz = ENCODINGS[fmt]
    return encode(samples_of(audio), muxer, codec, rate_hz=rate_hz or default_hz, layout=layout)


def encode(  # noqa: PLR0913, each is a property of the file
    samples: Pcm,
    muxer: str,
    codec: str,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    layout: str = "mono",
    options: dict[str, str] | None = None,
) -> bytes:
    """A file of 16 kHz mono samples: `encode(samples, "mp3", "libmp3lame", rate_hz=44_100)`."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        sound = cast("AudioStream", container.add_stream(codec, rate=rate_hz, options=options or {}))
        sound.layout = layout
        container.start_encoding()
        add_sound(container, sound, samples)
    return file.getvalue()


def add_sound(container: OutputContainer, stream: AudioStream, samples: Pcm) -> None:
    """Encode 16 kHz mono samples, int16 [samples], into a stream of the container, to its end."""
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
