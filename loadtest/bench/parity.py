"""What a reduced precision hears otherwise than float32: the small SenseVoice, and Whisper on real speech."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import jiwer
import numpy as np
import torch

from actors import devices
from actors.batcher import Limits
from actors.engines import catalog, sensevoice
from actors.engines.base import Hypothesis, Precision, Row
from loadtest import corpus
from loadtest.bench import speech
from loadtest.bench.rows import Found, Size
from loadtest.corpus.noise import pink
from loadtest.versus.servers import SMALL_MODEL

#: What the small SenseVoice was not trained on: spoken digits, with their texts.
SAMPLES: Final = SMALL_MODEL.parent / "samples"

#: In how many noises each sample is heard, and how many recordings of real speech are.
SIZES: Final = {Size.QUICK: (1, 2), Size.USUAL: (20, 24), Size.FULL: (40, 24)}

#: The same for all: they decide the order of what is heard.
LIMITS: Final = Limits(rows=8, audio_s=20.0)

#: The loudest and the faintest, below the speech.
NOISE_DB: Final = (10.0, 40.0)

#: What Whisper calculates in on a device.
_WHISPER: Final[dict[str, tuple[Precision, ...]]] = {
    "cpu": ("int8",),
    "cuda": ("float16", "bfloat16", "int8"),
}


def measure(size: Size, _folder: Path) -> Found:
    """Each model in each precision on the same segments, on the device that instances would have."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    noises, recordings = SIZES[size]
    digits = list(_noisy(noises))
    talk = speech.cut([speech.read(one.path) for one in corpus.recordings("short", 0)[:recordings]])
    cases = (
        ("SenseVoice", str(SMALL_MODEL), digits, sensevoice.precisions(device)),
        ("Whisper", "whisper-base", talk, _WHISPER[device]),
    )
    values, counts = dict[str, float](), list[str]()
    for name, model, rows, precisions in cases:
        exact = _heard(model, "float32", device, rows)
        counts.append(f"{name}: {sum(len(row.split()) for row in exact)} in {len(rows)} segments")
        for precision in precisions:
            if precision == "float32":
                continue
            coarse = _heard(model, precision, device, rows)
            values[f"differ[{name}, {precision}]"] = 100 * jiwer.wer(exact, coarse)
    return Found(
        values=values,
        how=f"Levenshtein distance to float32's, on a {device}; the small SenseVoice on spoken digits in "
        f"noise, Whisper base on the real speech of the short corpus; {'; '.join(counts)}",
    )


def _noisy(noises: int) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    for path in sorted(SAMPLES.glob("*/*.wav")):
        clean = np.divide(speech.read(path), 32_768, dtype=np.float32)
        level = float(np.sqrt(np.mean(clean**2)))
        for number in range(noises):
            noise = pink(rng, len(clean))
            noise *= level * 10 ** (-rng.uniform(*NOISE_DB) / 20) / np.sqrt(np.mean(noise**2))
            yield Row(samples=(clean + noise).astype(np.float32), language="auto", itn=bool(number % 2))


def _heard(model: str, precision: Precision, device: str, rows: Sequence[Row]) -> list[str]:
    """The tags and characters of each row, with spaces between."""
    engine = catalog.create(model, precision)
    engine.load(device, devices.cores())
    batches = speech.batches(rows, LIMITS)
    return [_symbols(heard) for batch in batches for heard in engine.recognize(batch)]


def _symbols(heard: Hypothesis) -> str:
    return " ".join([heard.language, str(heard.emotion), str(heard.event), *heard.text.replace(" ", "_")])
