"""Files that only tests need: films, and wav by the standard library."""

import io
import wave
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.encoding import add_sound

if TYPE_CHECKING:
    from av.audio.stream import AudioStream


def film(samples: Pcm, muxer: str, codec: str | None, video: str, *, rate_hz: int = 44_100) -> bytes:
    """Ten black pictures with 16 kHz mono samples, int16 [samples]; without a codec it holds no sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        pictures = cast("VideoStream", container.add_stream(video, rate=25))
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        sound = cast("AudioStream", container.add_stream(codec, rate=rate_hz)) if codec else None
        if sound:
            sound.layout = "mono"
        container.start_encoding()
        _add_pictures(container, pictures)
        if sound:
            add_sound(container, sound, samples)
    return file.getvalue()


def _add_pictures(container: OutputContainer, stream: VideoStream) -> None:
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
