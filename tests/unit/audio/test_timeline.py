"""Speech is heard when a player would play it, also where the file has no sound for a while."""

import io
import struct
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.video.stream import VideoStream

from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.clips import decode

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

#: A second of sound.
TONE = (8000 * np.sin(np.arange(SAMPLE_RATE_HZ) / 6)).astype(np.int16)

#: Muxer and codec of sound and pictures.
FILMS = [
    ("matroska", "flac", "mpeg4"),
    ("mp4", "aac", "mpeg4"),
    ("mov", "pcm_s16le", "mpeg4"),
    ("flv", "aac", "flv"),
    ("mpegts", "aac", "mpeg2video"),
    ("mpeg", "mp2", "mpeg2video"),
]

#: An element of Matroska: its id, that eight bytes follow, and the length of the file in milliseconds.
DURATION = b"\x44\x89\x88"


def file(
    muxer: str, codec: str, *starts_s: float, video: str | None = None, options: dict[str, str] | None = None
) -> bytes:
    """A file with `TONE` at these times, and with a codec for them pictures from the beginning."""
    written = io.BytesIO()
    with av.open(written, "w", format=muxer, container_options=options or {}) as container:
        pictures = cast("VideoStream", container.add_stream(video, rate=25)) if video else None
        if pictures:
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
        sound = cast("AudioStream", container.add_stream(codec, rate=44_100))
        sound.layout = "mono"
        container.start_encoding()
        if pictures:
            add_pictures(container, pictures)
        for start_s in starts_s:
            add_tone(container, sound, start_s)
        container.mux(sound.encode(None))
    return written.getvalue()


def add_pictures(container: OutputContainer, stream: VideoStream) -> None:
    """A second of black."""
    for number in range(25):
        picture = av.VideoFrame(64, 64, "yuv420p")
        picture.pts = number
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


def add_tone(container: OutputContainer, stream: "AudioStream", start_s: float) -> None:
    """`TONE` at a time."""
    context = stream.codec_context
    resampler = AudioResampler(context.format, context.layout, context.rate, context.frame_size or 1024)
    source = av.AudioFrame.from_ndarray(TONE.reshape(1, -1), format="s16", layout="mono")
    source.sample_rate = SAMPLE_RATE_HZ
    at = round(start_s * context.rate)
    for frame in (*resampler.resample(source), *resampler.resample(None)):
        if frame is not None:
            frame.pts, frame.time_base = at, Fraction(1, context.rate)
            at += frame.samples
            container.mux(stream.encode(frame))


def decoded(upload: bytes) -> Pcm:
    """All samples of it."""
    return np.concatenate(list(decode(io.BytesIO(upload))))


def starts_s(samples: Pcm) -> list[float]:
    """When sound begins, in the recording or after half a second of silence, to a fifth of a second."""
    loud = np.flatnonzero(np.abs(samples) > 1000)
    begins = [loud[0], *(after for before, after in pairwise(loud) if after - before > SAMPLE_RATE_HZ / 2)]
    return [round(float(begin) / SAMPLE_RATE_HZ * 5) / 5 for begin in begins]


@pytest.mark.parametrize(("muxer", "codec", "video"), FILMS)
def test_sound_that_begins_after_the_pictures(muxer: str, codec: str, video: str) -> None:
    """Subtitles are for the film, not for its sound alone."""
    samples = decoded(file(muxer, codec, 5, video=video))

    assert starts_s(samples) == [5.0]
    assert not samples[: 4 * SAMPLE_RATE_HZ].any()


@pytest.mark.parametrize(("muxer", "codec"), [("matroska", "flac"), ("mp4", "aac"), ("flv", "aac")])
def test_a_hole_in_the_sound(muxer: str, codec: str) -> None:
    """What follows it comes at its time."""
    samples = decoded(file(muxer, codec, 0, 20, 40))

    assert starts_s(samples) == [0.0, 20.0, 40.0]
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(41, abs=0.2)


def test_a_short_hole_of_a_broadcast() -> None:
    """Where times may begin anew, a few seconds are a hole all the same."""
    assert starts_s(decoded(file("mpegts", "aac", 0, 8))) == [0.0, 8.0]


@pytest.mark.parametrize(("muxer", "codec"), [("matroska", "flac"), ("mpegts", "aac"), ("ogg", "flac")])
def test_a_recording_that_begins_late(muxer: str, codec: str) -> None:
    """With nothing before it, players begin with it as well: a stream recorded from its third hour on."""
    assert starts_s(decoded(file(muxer, codec, 10_000))) == [0.0]


@pytest.mark.parametrize("first_s", [0, 100])
def test_times_that_begin_anew(first_s: int) -> None:
    """Broadcasts joined to one file follow each other: FFmpeg takes the second one for a day later."""
    joined = file("mpegts", "aac", first_s) + file("mpegts", "aac", 0)

    assert len(decoded(joined)) / SAMPLE_RATE_HZ == pytest.approx(2, abs=0.2)


def test_a_time_behind_the_end() -> None:
    """It is damaged: the sound is taken as it comes."""
    upload = file("matroska", "flac", 0, 20)
    at = upload.index(DURATION) + len(DURATION)

    damaged = upload[:at] + struct.pack(">d", 2_000) + upload[at + 8 :]

    assert len(decoded(damaged)) / SAMPLE_RATE_HZ == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(("second_s", "length_s"), [(8, 9), (20, 2)])
def test_a_file_without_a_length(second_s: int, length_s: int) -> None:
    """As browsers record: a few seconds are credible, more is not."""
    samples = decoded(file("matroska", "flac", 0, second_s, options={"live": "1"}))

    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(length_s, abs=0.2)


def test_a_hole_of_many_hours() -> None:
    """It comes in chunks like all sound: the limit of a length holds before all of it is made."""
    chunks = decode(io.BytesIO(file("matroska", "flac", 0, 36_000)))

    assert max(len(next(chunks)) for _ in range(100)) <= 10 * SAMPLE_RATE_HZ
