"""Real speech for tests: packaged clips with their texts, joined and encoded as needed."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final, cast

import jiwer
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pydub import AudioSegment

from actors.audio.recording import open_recording
from actors.records import SAMPLE_RATE_HZ, Language
from tests.media import encode

#: Format → (FFmpeg muxer, codec, sample rate of the encoded file).
ENCODINGS: Final = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "flac": ("flac", "flac", 48_000),
    "m4a": ("ipod", "aac", 44_100),
}

#: Written without spaces, so errors are counted by character.
BY_CHARACTER: Final = {"zh", "ja"}


#: Number words and the digits that a recogniser may write for them.
_NUMBERS: Final = {
    word: str(number)
    for words in ("one two three four five six seven eight nine ten", "一 二 三 四 五 六 七 八 九 十")
    for number, word in enumerate(words.split(), 1)
}


class Clip(Struct, frozen=True):
    """One utterance of clean speech: 16 kHz mono wav, and what is said in it."""

    path: Path
    language: Language
    text: str

    @property
    def audio(self) -> AudioSegment:
        """The clip, for cutting and mixing."""
        with self.path.open("rb") as file:
            samples = np.concatenate(list(decode(file)))
        return AudioSegment(samples.tobytes(), sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=1)


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


def encoded(audio: AudioSegment, fmt: str, *, rate_hz: int | None = None, layout: str = "mono") -> bytes:
    """The audio as a file of a format in `ENCODINGS`."""
    muxer, codec, default_hz = ENCODINGS[fmt]
    return encode(samples_of(audio), muxer, codec, rate_hz=rate_hz or default_hz, layout=layout)


def samples_of(audio: AudioSegment) -> NDArray[np.int16]:
    """The samples of 16 kHz mono audio: int16 [samples]."""
    return np.frombuffer(cast("bytes", audio.raw_data), np.int16)


def error_rate(clip_language: str, reference: str, heard: str) -> float:
    """Word error rate, or character error rate where words are not separated; case and marks do not count."""
    reference, heard = _bare(reference), _bare(heard)
    if clip_language in BY_CHARACTER:
        return jiwer.cer(reference.replace(" ", ""), heard.replace(" ", ""))
    return jiwer.wer(reference, heard)


def _bare(text: str) -> str:
    for word, digits in _NUMBERS.items():
        text = re.sub(rf"\b{word}\b" if word.isascii() else word, digits, text, flags=re.IGNORECASE)
    kept = "".join(character if character.isalnum() else " " for character in text.lower())
    return " ".join(kept.split())


def decode(file: BinaryIO) -> Iterator[NDArray[np.int16]]:
    """A file's audio, as a segmenter decodes it, in chunks: int16 [samples], 16 kHz."""
    with open_recording(file) as recording:
        yield from recording.chunks()
