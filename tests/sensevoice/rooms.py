"""The samples as several rooms hear them: real rows for comparisons, without espeak-ng."""

import wave
from pathlib import Path

import numpy as np

from actors.engines.base import Row
from tests.sensevoice import SAMPLES
from tests.sensevoice.synthesize import in_a_room


def rows(rooms: int, seed: int = 0) -> list[Row]:
    """Every sample in that many rooms, language unknown, with and without ITN in turn."""
    rng = np.random.default_rng(seed)
    return [
        Row(samples=in_a_room(rng, read(path)), language="auto", itn=bool(room % 2))
        for path in sorted(SAMPLES.glob("*/*.wav"))
        for room in range(rooms)
    ]


def read(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The samples of a wav file of 16 bits: float32 [samples]."""
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return np.divide(pcm, 32_768, dtype=np.float32)
