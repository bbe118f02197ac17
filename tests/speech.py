"""Real speech for tests: packaged clips with their texts, joined and encoded as needed."""

import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final, cast

import av
import jiwer
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from msgspec import Struct
from numpy.typing import NDArray
from pydub import AudioSegment

from actors.audio.recording import open_recording
from actors.records import SAMPLE_RATE_HZ, Language

#: Format → (FFmpeg muxer, codec, sample rate of the encoded file).
ENCODINGS: Final = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "mp3": ("mp3", "mp3", 44_100),
    "flac": ("flac", "flac", 48_000),
    "m4a": ("ipod", "aac", 44_100),
}

#: Written without spaces, so errors are counted by character.
BY_CHARACTER: Final = {"zh", "ja"}


class Clip(Struct, frozen=True):
    """One utterance of clean speech: 16 kHz mono wav, and what is said in it."""

    path: Path
    language: Language
    text: str

    @property
    def audio(self) -> AudioSegment:
        """The clip, for cutting and mixing."""
        samples, rate_hz = soundfile.read(self.path)
        pcm = (samples * 32_767).astype(np.int16).tobytes()
        return AudioSegment(pcm, sample_width=2, frame_rate=rate_hz, channels=1)


def clips(*languages: Language) -> list[Clip]:
    """The packaged clips of these languages, in a fixed order."""
    spec = find_spec("pytest_audioeval")
    if spec is None or spec.submodule_search_locations is None:
        raise LookupError("pytest-audioeval is not installed: run ./justw setup")
    folder = Path(spec.submodule_search_locations[0]) / "samples" / "audio"
    return [
        Clip(path, language, path.with_suffix(".txt").read_text().strip())
        for language in languages
        for path in sorted((folder / language).glob("*.wav"))
    ]


def joined(parts: list[Clip], pause_ms: int) -> AudioSegment:
    """The clips one after the other, with a pause before each and after the last."""
    pause = AudioSegment.silent(pause_ms, SAMPLE_RATE_HZ)
    return sum((clip.audio + pause for clip in parts), pause)


def encoded(audio: AudioSegment, fmt: str, *, rate_hz: int | None = None, channels: int = 1) -> bytes:
    """The audio as a file of a format in `ENCODINGS`."""
    muxer, codec, default_hz = ENCODINGS[fmt]
    rate_hz = rate_hz or default_hz
    source = audio.set_frame_rate(rate_hz).set_channels(channels).set_sample_width(2)
    samples = np.frombuffer(source.raw_data, np.int16).reshape(1, -1)
    layout = "mono" if channels == 1 else "stereo"
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        stream = cast("AudioStream", container.add_stream(codec, rate=rate_hz, layout=layout))
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(stream.format, layout, rate_hz, frame_size=stream.frame_size or 4096)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def error_rate(clip_language: str, reference: str, heard: str) -> float:
    """Word error rate, or character error rate where words are not separated; case and marks do not count."""
    reference, heard = _bare(reference), _bare(heard)
    if clip_language in BY_CHARACTER:
        return jiwer.cer(reference.replace(" ", ""), heard.replace(" ", ""))
    return jiwer.wer(reference, heard)


def _bare(text: str) -> str:
    kept = "".join(character if character.isalnum() else " " for character in text.lower())
    return " ".join(kept.split())


def decode(file: BinaryIO) -> Iterator[NDArray[np.int16]]:
    """A file's audio, as a segmenter decodes it, in chunks: int16 [samples], 16 kHz."""
    with open_recording(file) as recording:
        yield from recording.chunks()
