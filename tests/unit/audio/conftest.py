"""Speech, encoders and the VAD for the audio tests."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from actors import settings
from actors.audio.vad import VoiceActivityDetector
from actors.records import SAMPLE_RATE_HZ
from loadtest.bench.funasr_vad import FunasrVad
from loadtest.corpus import encoding
from loadtest.corpus.clips import decode

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

WEIGHTS = settings.STATE_DIR / "weights" / "fsmn-vad"


@pytest.fixture(scope="session")
def vad() -> VoiceActivityDetector:
    """The real FSMN-VAD, as a segmenter loads it."""
    return VoiceActivityDetector.load(WEIGHTS, threads=1)


@pytest.fixture(scope="session")
def funasr() -> FunasrVad:
    """The same model as FunASR runs it."""
    return FunasrVad(WEIGHTS)


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
    return encoding.encode
