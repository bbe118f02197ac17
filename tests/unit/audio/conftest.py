"""Speech, encoders and the VAD for the audio tests."""

import importlib.util
import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actors import settings
from actors.audio.vad import VoiceActivityDetector
from actors.records import SAMPLE_RATE_HZ
from tests.speech import decode

Pcm = NDArray[np.int16]
Encode = Callable[..., bytes]

CLIPS = (
    "en/counting",
    "zh/pangrama",
    "ja/kazoeru",
    "en/quick_brown_fox",
    "zh/jishu",
    "ja/konnichiwa_sekai",
    "en/hello_world",
)


@pytest.fixture(scope="session")
def vad() -> VoiceActivityDetector:
    """The real FSMN-VAD, as a segmenter loads it."""
    return VoiceActivityDetector.load(settings.STATE_DIR / "weights" / "fsmn-vad", threads=1)


@pytest.fixture(scope="session")
def speech() -> Callable[[str], Pcm]:
    """Real speech by `language/name`: int16 [samples], 16 kHz."""
    # The package is a pytest plugin with heavy imports, so its folder is found without importing it.
    spec = importlib.util.find_spec("pytest_audioeval")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "samples" / "audio"

    def read(name: str) -> Pcm:
        with (folder / f"{name}.wav").open("rb") as file:
            return np.concatenate(list(decode(file)))

    return read


@pytest.fixture(scope="session")
def conversation(speech: Callable[[str], Pcm]) -> Pcm:
    """Real speech in three languages with pauses of 0.3 to 2 s of digital silence between."""
    parts: list[Pcm] = []
    for clip, pause_ms in zip(CLIPS, (300, 600, 900, 1200, 1500, 2000, 1000), strict=True):
        parts += [speech(clip), np.zeros(pause_ms * SAMPLE_RATE_HZ // 1000, np.int16)]
    return np.concatenate(parts)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Writes 16 kHz mono samples as a file: `encode(samples, "mp3", "libmp3lame", rate_hz=44_100)`."""
    return _encode


def _encode(  # noqa: PLR0913, each is a property of the file
    samples: Pcm,
    muxer: str,
    codec: str | None,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    layout: str = "mono",
    options: dict[str, str] | None = None,
    video: str | None = None,
) -> bytes:
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
    source = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    source.sample_rate = SAMPLE_RATE_HZ
    source.time_base = Fraction(1, SAMPLE_RATE_HZ)
    source.pts = 0
    context = stream.codec_context
    resampler = AudioResampler(
        context.format, context.layout, context.sample_rate, context.frame_size or 1024
    )
    for frame in [*resampler.resample(source), *resampler.resample(None), None]:
        container.mux(stream.encode(frame))


def _add_video(container: OutputContainer, stream: VideoStream) -> None:
    for number in range(10):
        black = av.VideoFrame(64, 64, "yuv420p")
        black.pts = number
        container.mux(stream.encode(black))
    container.mux(stream.encode(None))
