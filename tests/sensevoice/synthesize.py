# ruff: noqa: SIM905 (tables of words read best as strings)
"""Digit strings spoken by espeak-ng: the corpus of the small SenseVoice, its held-out set and the samples.

Needs the program espeak-ng (`apt-get install espeak-ng`). Everything follows from the seed.

    python -m tests.sensevoice.synthesize     # writes samples/ again
"""

import io
import subprocess
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tests.sensevoice import SAMPLES

Samples = NDArray[np.float32]
Split = Literal["train", "dev", "held_out"]

SAMPLE_RATE_HZ: Final = 16_000
LANGUAGES: Final = ("zh", "en", "ja", "ko", "yue")
MAX_DIGITS: Final = 8

#: Language → the words of 0 to 9, as the model writes them without ITN.
WORDS: Final = {
    "zh": "零 一 二 三 四 五 六 七 八 九".split(),
    "en": "zero one two three four five six seven eight nine".split(),
    "ja": "ぜろ いち に さん よん ご ろく なな はち きゅう".split(),
    "ko": "영 일 이 삼 사 오 육 칠 팔 구".split(),
    "yue": "零 一 二 三 四 五 六 七 八 九".split(),
}

#: espeak-ng knows no Chinese characters in Mandarin: it reads pinyin.
_PINYIN: Final = "ling2 yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3".split()

_VOICES: Final = {
    "zh": ("cmn-latn-pinyin",),
    "en": ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-us-nyc"),
    "ja": ("ja",),
    "ko": ("ko",),
    "yue": ("yue",),
}
_LOW_VOICES: Final = tuple("m1 m2 m3 m4 m7 Alex Andy Gene Lee Mike Michael klatt2".split())
_HIGH_VOICES: Final = tuple("f1 f2 f3 f4 Annie Andrea linda steph".split())


class Utterance(Struct, frozen=True):
    """What is said, and how: enough to say it again, sample for sample."""

    language: str
    digits: str
    voice: str
    speed_wpm: int
    pitch: int  # 0 to 99, espeak-ng's own scale
    gap_10ms: int  # between words
    rate: float  # 1.1 plays ten percent faster and higher
    happy: bool

    @property
    def text(self) -> str:
        """What a listener writes down, in words."""
        return words(self.language, self.digits)


class Clip(Struct, frozen=True):
    """An utterance and its sound."""

    utterance: Utterance
    samples: Samples


def words(language: str, digits: str) -> str:
    """Digits in words: `one two` in English, `一二` where words are not separated."""
    return (" " if language == "en" else "").join(WORDS[language][int(digit)] for digit in digits)


def split_of(digits: str) -> Split:
    """The part of the corpus that a string belongs to, in all languages: one in ten is never trained on.

    Single digits are ten in all, so they are trained on.
    """
    if len(digits) == 1:
        return "train"
    bucket = sha256(digits.encode()).digest()[0] % 20
    return "held_out" if bucket == 0 else "dev" if bucket == 1 else "train"


def draw(rng: Generator, language: str, split: Split) -> Utterance:
    """A random utterance of that part. High voices speaking at a high pitch count as happy."""
    digits = _draw_digits(rng, split)
    high = bool(rng.random() < 0.45)
    happy = high and bool(rng.random() < 0.25)
    variant = str(rng.choice(_HIGH_VOICES if high else _LOW_VOICES))
    pitch = rng.integers(88, 100) if happy else rng.integers(20, 50) if high else rng.integers(20, 75)
    return Utterance(
        language=language,
        digits=digits,
        voice=f"{rng.choice(_VOICES[language])}+{variant}",
        speed_wpm=int(rng.integers(110, 200)),
        pitch=int(pitch),
        gap_10ms=int(rng.choice((0, 0, 0, 2, 5, 10))),
        rate=float(rng.choice((0.92, 0.96, 1.0, 1.04, 1.08))),
        happy=happy,
    )


def _draw_digits(rng: Generator, split: Split) -> str:
    while True:
        digits = "".join(str(digit) for digit in rng.integers(0, 10, rng.integers(1, MAX_DIGITS + 1)))
        if split_of(digits) == split:
            return digits


def speak(utterance: Utterance) -> Samples:
    """The sound of an utterance: float32 [samples], 16 kHz, peak 0.5, silence at both ends removed."""
    spellings = _PINYIN if utterance.language == "zh" else WORDS[utterance.language]
    command = (
        *("espeak-ng", "--stdout", "-v", utterance.voice, "-s", str(utterance.speed_wpm)),
        *("-p", str(utterance.pitch), "-g", str(utterance.gap_10ms)),
        " ".join(spellings[int(digit)] for digit in utterance.digits),
    )
    said = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(said)) as file:
        rate_hz = file.getframerate() * utterance.rate
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    samples = resample_poly(raw.astype(np.float32), 320, round(320 * rate_hz / SAMPLE_RATE_HZ))
    samples *= 0.5 / max(1.0, float(np.abs(samples).max()))
    loud = np.flatnonzero(np.abs(samples) > 0.005)
    return samples[loud[0] : loud[-1] + 1].astype(np.float32)


def corpus(number: int, split: Split, seed: int, threads: int = 3) -> Iterator[Clip]:
    """Clean utterances, the languages in turn."""
    rng = np.random.default_rng(seed)
    utterances = [draw(rng, LANGUAGES[index % len(LANGUAGES)], split) for index in range(number)]
    with ThreadPoolExecutor(threads) as pool:
        for utterance, samples in zip(utterances, pool.map(speak, utterances), strict=True):
            yield Clip(utterance, samples)


def held_out(number: int = 500, seed: int = 7, split: Split = "held_out") -> Iterator[Clip]:
    """Utterances of strings that were not trained on, as a room hears them: pauses, noise, any loudness."""
    rng = np.random.default_rng(seed + 1)
    for clip in corpus(number, split, seed):
        yield Clip(clip.utterance, in_a_room(rng, clip.samples))


def in_a_room(rng: Generator, speech: Samples, max_pause_ms: int = 600) -> Samples:
    """Speech with 100 ms or more before and after, noise 10 to 40 dB below it, a gain of -15 to +3 dB."""
    around = rng.integers(100, max_pause_ms, 2) * SAMPLE_RATE_HZ // 1000
    padded = np.pad(speech, (int(around[0]), int(around[1])))
    ratio_db = rng.uniform(10, 40)
    level = float(np.sqrt(np.mean(speech**2))) * 10 ** (-ratio_db / 20)
    gain = 10 ** (rng.uniform(-15, 3) / 20)
    return np.clip((padded + level * noise(rng, len(padded))) * gain, -1, 1).astype(np.float32)


def noise(rng: Generator, length: int) -> Samples:
    """Noise of a random colour, from white to brown, of level 1 (RMS)."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequencies = np.arange(1, len(spectrum) + 1) / len(spectrum)
    samples = np.fft.irfft(spectrum * frequencies ** -rng.uniform(0, 1), length)
    return (samples / np.sqrt(np.mean(samples**2))).astype(np.float32)


def music(rng: Generator, length: int) -> Samples:
    """Chords that change every half second, of level 1 (RMS): what stands for background music."""
    beat = SAMPLE_RATE_HZ // 2
    time_s = np.arange(beat) / SAMPLE_RATE_HZ
    chords = []
    for _ in range(-(-length // beat)):
        root_hz = 110 * 2 ** (rng.integers(0, 24) / 12)
        notes_hz = root_hz * 2 ** (np.array([0, 4, 7, 12, 19]) / 12)
        chords.append(np.sin(2 * np.pi * notes_hz[:, None] * time_s).sum(0) * np.exp(-1.5 * time_s))
    samples = np.concatenate(chords)[:length]
    return (samples / np.sqrt(np.mean(samples**2))).astype(np.float32)


def write_wav(path: Path, samples: Samples) -> None:
    """The samples as a 16 kHz mono wav of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())


def write_samples(folder: Path, each: int = 3, max_bytes: int = 40_000, seed: int = 11) -> None:
    """A few small held-out clips a language with their texts: `<language>/<digits>.wav` and `.txt`."""
    rng = np.random.default_rng(seed)
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
        names: set[str] = set()
        while len(names) < each:
            utterance = draw(rng, language, "held_out")
            if not 3 <= len(utterance.digits) <= 5:
                continue
            samples = in_a_room(rng, speak(utterance), max_pause_ms=250)
            if 2 * len(samples) < max_bytes:
                names.add(utterance.digits)
                path = folder / language / f"{utterance.digits}.wav"
                write_wav(path, samples)
                path.with_suffix(".txt").write_text(utterance.text + "\n")


if __name__ == "__main__":
    write_samples(SAMPLES)
