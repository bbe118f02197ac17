"""Packaged speech: clean utterances with their texts."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from msgspec import Struct

from actors.audio.recording import open_recording
from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ, Language
from loadtest.corpus.sound import AudioSegment


class Clip(Struct, frozen=True):
    """One utterance of clean speech: 16 kHz mono wav, and what is said in it."""

    path: Path
    language: Language
    text: str

    @property
    def audio(self) -> AudioSegment:
        """The clip, for cutting and mixing."""
        with self.path.open("rb") as file:
            return audio_of(np.concatenate(list(decode(file))))


def clips(*languages: Language) -> list[Clip]:
    """The packaged clips of these languages, in a fixed order."""
    spec = find_spec("pytest_audioeval")
    if spec is None or spec.submodule_search_locations is None:
        raise LookupError("pytest-audioeval is not installed: run ./justw setup")
    folder = Path(spec.submodule_search_locations[0]) / "samples" / "audio"
    return [
        Clip(path, language, path.with_suffix(".txt").read_text(encoding="utf-8").strip())
        for language in languages
        for path in sorted((folder / language).glob("*.wav"))
    ]


def joined(parts: list[Clip], pause_ms: int) -> AudioSegment:
    """The clips one after the other, with a pause before each and after the last."""
    pause = AudioSegment.silent(pause_ms, SAMPLE_RATE_HZ)
    return sum((clip.audio + pause for clip in parts), pause)


def audio_of(samples: Pcm) -> AudioSegment:
    """16 kHz mono samples, int16 [samples], for cutting and mixing."""
    return AudioSegment(samples.tobytes(), sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=1)


def samples_of(audio: AudioSegment) -> Pcm:
    """The samples of 16 kHz mono audio: int16 [samples]."""
    return np.frombuffer(cast("bytes", audio.raw_data), np.int16)


def decode(file: BinaryIO) -> Iterator[Pcm]:
    """A file's audio, as a segmenter decodes it, in chunks: int16 [samples], 16 kHz."""
    with open_recording(file) as recording:
        yield from recording.chunks()
