"""What is asked for: how much audio, in which recordings, how unevenly, how soon."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Self

import numpy as np
from msgspec import Struct

from loadtest.capacity.measured import Recording
from loadtest.capacity.simulation.pipeline import Due
from loadtest.capacity.simulation.work import LONG_S

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S

#: Lengths are uniform between these parts of the mean.
SPREAD: Final = (0.5, 1.5)

_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": HOUR_S}
_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|min|h)$")


class BadDemand(Exception):
    """What is asked for means nothing, or cannot be had; the message says what is at fault."""


class Kind(Struct, frozen=True):
    """Recordings of about one length, and their share of all audio, 0 to 1."""

    length_s: float
    share: float

    @property
    def is_short(self) -> bool:
        """Whether it goes by the short lane, where somebody waits for the answer."""
        return self.length_s <= LONG_S


#: Mixes by name.
MIXES: Final = {"clips": "8s=1", "calls": "5min=1", "files": "1h=1", "mixed": "8s=30,5min=40,1h=30"}


class Demand(Struct, frozen=True, kw_only=True):
    """A load."""

    hours_per_day: float
    #: The busiest time of the day ÷ its mean.
    peak: float
    #: Within which 95 % of recordings of a minute at most are to be answered.
    p95_s: float
    mix: tuple[Kind, ...]

    @property
    def mean_rtfx(self) -> float:
        """Seconds of audio that come in a second."""
        return self.hours_per_day * HOUR_S / DAY_S

    @property
    def peak_rtfx(self) -> float:
        """The same at the busiest time."""
        return self.mean_rtfx * self.peak

    @property
    def requests_per_audio_s(self) -> float:
        """How many recordings a second of audio comes in."""
        return sum(kind.share / kind.length_s for kind in self.mix)

    @property
    def has_short(self) -> bool:
        """Whether anybody waits."""
        return any(kind.is_short for kind in self.mix)


def duration_s(text: str) -> float:
    """`2s`, `500ms`, `5min` or `1h` in seconds.

    Raises:
        BadDemand: it is none of these.
    """
    found = _DURATION.match(text.strip())
    if not found or float(found[1]) == 0:
        raise BadDemand(f"{text!r} is no duration: write 500ms, 2s, 5min or 1h")
    return float(found[1]) * _UNITS_S[found[2]]


def mix(text: str) -> tuple[Kind, ...]:
    """A mix by name, or `LENGTH=SHARE,…`: shares of all audio, in any unit.

    Raises:
        BadDemand: it is neither.
    """
    parts = [part.partition("=") for part in MIXES.get(text, text).split(",")]
    if not all(equals and re.fullmatch(r"\d+(\.\d+)?", share) for _, equals, share in parts):
        raise BadDemand(
            f"--mix {text}: it is {', '.join(MIXES)}, or shares of the audio: 8s=30,5min=40,1h=30"
        )
    whole = sum(float(share) for _, _, share in parts)
    if not whole:
        raise BadDemand(f"--mix {text}: the shares come to nothing")
    return tuple(Kind(duration_s(length), float(share) / whole) for length, _, share in parts if float(share))


class Speech(Struct, frozen=True):
    """How recordings are cut: the lengths of segments, and what of the audio is in them."""

    lengths_s: tuple[float, ...]
    share: float

    @classmethod
    def of(cls, recordings: Sequence[Recording]) -> Self:
        """As in these."""
        lengths_s = tuple(length_s for one in recordings for _, length_s in one.segments)
        return cls(lengths_s, sum(lengths_s) / sum(one.audio_s for one in recordings))

    def recording(self, length_s: float, chance: np.random.Generator) -> Recording:
        """One of this length."""
        segments, at_s = list[tuple[float, float]](), 0.0
        while at_s < length_s:
            speech_s = min(float(chance.choice(self.lengths_s)), (length_s - at_s) * self.share)
            at_s += speech_s / self.share
            segments.append((min(at_s, length_s), speech_s))
            if length_s - at_s < min(self.lengths_s):
                break
        return Recording(name="", audio_s=length_s, segments=tuple(segments))


def dues(demand: Demand, speech: Speech, rtfx: float, count: int, seed: int = 0) -> list[Due]:
    """So many recordings of the mix that arrive at random at a rate of so much audio a second."""
    chance = np.random.default_rng(seed)
    per_s = rtfx * demand.requests_per_audio_s
    at_s = accumulate(chance.exponential(1 / per_s, count).tolist())
    recordings = endless(demand, speech, chance)
    return [Due(due_s, next(recordings)) for due_s in at_s]


def endless(demand: Demand, speech: Speech, chance: np.random.Generator) -> Iterator[Recording]:
    """Recordings of the mix."""
    counts = np.array([kind.share / kind.length_s for kind in demand.mix])
    while True:
        kind = demand.mix[chance.choice(len(demand.mix), p=counts / counts.sum())]
        yield speech.recording(kind.length_s * chance.uniform(*SPREAD), chance)
