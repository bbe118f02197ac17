"""When not to believe Whisper: the rules that keep silence silent and break endless repetition."""

import zlib

import numpy as np
from msgspec import Struct

from actors.engines.base import Samples
from actors.engines.whisper_features import FRAMES_PER_S
from actors.records import SAMPLE_RATE_HZ

#: Nothing shorter holds a word.
MIN_SPEECH_S = 0.1

#: A clip that never rises above this is digital silence: -80 dB of full scale.
MIN_PEAK = 1e-4

#: Text that compresses better repeats itself; OpenAI's threshold (`whisper/transcribe.py`).
MAX_COMPRESSION = 2.4

#: More than this speaks for no speech; OpenAI's threshold.
MAX_NO_SPEECH = 0.6

#: A lower mean log-probability per token is a guess. OpenAI has -1.0, but noise gave this model's favourite
#: inventions (a news sign-off, "you") up to -0.85, while clear speech stays above -0.7.
MIN_LOGPROB = -0.8

#: Below this a guess is noise whatever else speaks for it; speech measured -1.42 at worst.
MIN_LOGPROB_OF_SPEECH = -1.75

#: Fast speech gives about 8 tokens a second; what gives more is a loop. Whisper itself stops at 224.
MAX_TOKENS_PER_S = 12
MAX_TOKENS = 224


class Decoded(Struct, frozen=True):
    """What the decoder made of one row."""

    text: str
    language: str
    tokens: int
    #: Where decoding was cut off.
    max_tokens: int
    #: Mean log-probability of the tokens and the end of text.
    logprob: float
    #: Probability of the no-speech token at the start.
    no_speech: float

    #: Whether this was the second try.
    retried: bool

    @property
    def loops(self) -> bool:
        """Whether it repeats itself without end."""
        return self.tokens >= self.max_tokens or compression(self.text) > MAX_COMPRESSION

    @property
    def needs_retry(self) -> bool:
        """Whether it may be speech that the decoder got stuck on."""
        return self.loops and self.no_speech <= MAX_NO_SPEECH

    @property
    def is_speech(self) -> bool:
        """Whether the text is to be believed."""
        suspect = self.retried or self.no_speech > MAX_NO_SPEECH
        return not self.loops and self.logprob >= (MIN_LOGPROB if suspect else MIN_LOGPROB_OF_SPEECH)


def may_hold_speech(samples: Samples) -> bool:
    """Whether a clip is long and loud enough to be worth the model's time."""
    return len(samples) >= MIN_SPEECH_S * SAMPLE_RATE_HZ and float(np.abs(samples).max()) > MIN_PEAK


def max_tokens(frames: int) -> int:
    """How many tokens may come of so many feature frames, speech and the silence behind it."""
    return min(MAX_TOKENS, frames * MAX_TOKENS_PER_S // FRAMES_PER_S)


def compression(text: str) -> float:
    """How well the text compresses; ordinary text stays near 1."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw))
