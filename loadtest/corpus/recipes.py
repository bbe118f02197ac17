"""What the recordings of a corpus sound like: how long, in which languages, with which pauses and noise."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Final, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import Struct

from actors.audio.resample import Pcm
from actors.records import SAMPLE_RATE_HZ, Language
from loadtest.corpus import noise
from loadtest.corpus.clips import Clip, clips, samples_of
from loadtest.corpus.scoring import BY_CHARACTER
from loadtest.corpus.sound import detect_leading_silence

T = TypeVar("T")
Rng = np.random.Generator
Noise = Literal["white", "pink", "babble"]

#: Raise it whenever a recipe comes to give other samples or texts.
VERSION: Final = 1

SHORT_RECORDINGS: Final = 24
#: Shortest and longest, which are uniform.
SHORT_S: Final = (1, 15)
SHORT_LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
LONG_S: Final = 30 * 60
MIXED_RECORDINGS: Final = 40
#: Shortest and longest, which are log-uniform.
MIXED_S: Final = (1, 60)
#: The one that is longer.
MINUTES_S: Final = 4 * 60

#: What the recordings of `mixed` have in turn: 4, 5, 3 and 7 of each, so that all come together with all.
FORMATS: Final = ("wav", "mp3", "flac", "m4a")
LANGUAGES: Final[tuple[tuple[Language, ...], ...]] = (
    ("en",),
    ("zh",),
    ("ja",),
    ("en", "zh"),
    ("en", "zh", "ja"),
)
NOISES: Final[tuple[Noise, ...]] = ("white", "pink", "babble")
#: Signal-to-noise ratios; none: there is no noise.
SNRS_DB: Final = (None, 20, 10, 5, None, 10, 5)

#: Who babbles.
BABBLE: Final[tuple[Language, ...]] = ("en", "zh", "ja")

#: Shortest and longest pause between utterances in seconds; they are log-uniform.
BRISK: Final = (0.2, 1.0)
SLOW: Final = (0.3, 5.0)

#: Shortest and longest time before the first utterance.
LEAD_S: Final = (0.1, 0.5)

#: The silence at the ends of the clips is below this.
SILENCE_DBFS: Final = -50

#: The loudest sample; noisy speech beyond it is turned down.
PEAK: Final = 0.9 * 2**15


class Draft(Struct, frozen=True, kw_only=True):
    """A recording that is to be encoded: int16 [samples], 16 kHz, and what is said in it, where."""

    #: Languages and noise, for its name.
    kind: str
    language: Language
    samples: Pcm
    text: str
    speech_s: tuple[tuple[float, float], ...]
    fmt: str

    @property
    def audio_s(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE_HZ


class Utterance(Struct, frozen=True):
    """A packaged clip, int16 [samples], and from when to when in it somebody speaks."""

    language: Language
    text: str
    samples: Pcm
    begin_s: float
    end_s: float

    @property
    def audio_s(self) -> float:
        """How long it is, with the silence at its ends."""
        return len(self.samples) / SAMPLE_RATE_HZ


def drafts(recipe: str, seed: int) -> Iterator[Draft]:
    """The recordings of a recipe; the same seed gives the same samples."""
    return RECIPES[recipe](np.random.default_rng([seed, VERSION]))


def short(rng: Rng) -> Iterator[Draft]:
    """Clean speech of 1 to 15 s in English and Chinese, as wav."""
    for number in range(SHORT_RECORDINGS):
        yield _draft(rng, (_turn(SHORT_LANGUAGES, number),), rng.uniform(*SHORT_S), BRISK, "wav")


def long(rng: Rng) -> Iterator[Draft]:
    """Half an hour of clean English, as m4a."""
    yield _draft(rng, ("en",), LONG_S, SLOW, "m4a")


def mixed(rng: Rng) -> Iterator[Draft]:
    """What comes in over a day: 1 to 60 s, log-uniform, and one of minutes; languages, noise, all formats."""
    for number in range(MIXED_RECORDINGS):
        is_last = number == MIXED_RECORDINGS - 1
        length_s = MINUTES_S if is_last else _log_uniform(rng, *MIXED_S)
        draft = _draft(rng, _turn(LANGUAGES, number), length_s, SLOW, _turn(FORMATS, number))
        snr_db = _turn(SNRS_DB, number)
        yield _noisy(rng, draft, _turn(NOISES, number), snr_db) if snr_db else draft


#: Name → what makes its recordings.
RECIPES: Final[dict[str, Callable[[Rng], Iterator[Draft]]]] = {"short": short, "long": long, "mixed": mixed}


def _log_uniform(rng: Rng, least: float, most: float) -> float:
    return math.exp(rng.uniform(math.log(least), math.log(most)))


def _turn(options: Sequence[T], number: int) -> T:
    return options[number % len(options)]


def _draft(
    rng: Rng, languages: tuple[Language, ...], length_s: float, pauses_s: tuple[float, float], fmt: str
) -> Draft:
    """Random clips and pauses, as many as fit into the length; it is longer where not even one does."""
    pool = [one for language in languages for one in utterances(language)]
    lead_s = rng.uniform(*LEAD_S)
    length_s = max(length_s, lead_s + min(one.audio_s for one in pool))
    track = np.zeros(math.ceil(length_s * SAMPLE_RATE_HZ), np.int16)
    spoken, speech_s = list[Utterance](), list[tuple[float, float]]()
    at = int(lead_s * SAMPLE_RATE_HZ)
    while fitting := [one for one in pool if at + len(one.samples) <= len(track)]:
        one = fitting[rng.integers(len(fitting))]
        track[at : at + len(one.samples)] = one.samples
        at_s = at / SAMPLE_RATE_HZ
        spoken.append(one)
        speech_s.append((round(at_s + one.begin_s, 3), round(at_s + one.end_s, 3)))
        pause_s = _log_uniform(rng, *pauses_s)
        at += len(one.samples) + round(pause_s * SAMPLE_RATE_HZ)
    heard: list[Language] = sorted({one.language for one in spoken})
    return Draft(
        kind="-".join(heard),
        language=heard[0] if len(heard) == 1 else "auto",
        samples=track,
        text=_text(spoken),
        speech_s=tuple(speech_s),
        fmt=fmt,
    )


def _text(spoken: Sequence[Utterance]) -> str:
    """What is said, in order; no space between two languages that have none."""
    text = spoken[0].text
    for before, one in pairwise(spoken):
        text += one.text if {before.language, one.language} <= BY_CHARACTER else f" {one.text}"
    return text


def _noisy(rng: Rng, draft: Draft, kind: Noise, snr_db: float) -> Draft:
    clean = draft.samples.astype(np.float64)
    match kind:
        case "white":
            added = noise.white(rng, len(clean))
        case "pink":
            added = noise.pink(rng, len(clean))
        case "babble":
            voices = [one.samples for language in BABBLE for one in utterances(language)]
            added = noise.babble(rng, len(clean), voices)
    mix = noise.noisy(clean, added, draft.speech_s, snr_db)
    mix *= min(1.0, PEAK / np.abs(mix).max())
    return msgspec.structs.replace(
        draft, kind=f"{draft.kind}-{kind}-{snr_db}dB", samples=np.round(mix).astype(np.int16)
    )


@cache
def utterances(language: Language) -> tuple[Utterance, ...]:
    """The packaged clips of a language."""
    return tuple(map(_utterance, clips(language)))


def _utterance(clip: Clip) -> Utterance:
    audio = clip.audio
    begin_ms = detect_leading_silence(audio, SILENCE_DBFS)
    end_ms = len(audio) - detect_leading_silence(audio.reverse(), SILENCE_DBFS)
    return Utterance(clip.language, clip.text, samples_of(audio), begin_ms / 1000, end_ms / 1000)
