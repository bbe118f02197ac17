"""What a run is to do: a profile, and what the command line changes in it."""

import enum
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from actors.records import Language

#: The profiles that come with Quintet.
PROFILES: Final = Path(__file__).with_name("profiles.toml")


#: Requests a second above which no runner sends in time.
MOST_PER_S: Final = 10_000


class BadPlan(Exception):
    """The plan cannot be carried out; the message says which value is at fault, and what is allowed."""


class Endpoint(enum.StrEnum):
    """Where the recordings are sent; `stream` is OpenAI's endpoint, answered segment by segment."""

    ASR = "asr"
    ASR_SIMPLE = "asr_simple"
    JOBS = "jobs"
    OPENAI = "openai"
    STREAM = "stream"


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run is to do.

    Closed loop: `concurrent_users` send `requests_per_user` requests each, the next one
    `delay_between_requests` after the answer to the last. Open loop: `rate_per_s` requests arrive for
    `duration_s`, whatever the answers do. Durations are in seconds.
    """

    profile: str = "seed"
    api_url: str = ""
    endpoint: Endpoint = Endpoint.ASR
    language: Language = "auto"
    #: A recording, or a folder of them, instead of the corpus.
    test_file: str = ""
    #: The recipe of the corpus; see `loadtest.corpus`.
    corpus: str = "short"
    seed: int = 0
    timeout: float = 60
    #: Whether each recording of a minute at most is first sent alone, so that its text is known.
    serial_texts: bool = True

    concurrent_users: int = 10
    requests_per_user: int = 5
    delay_between_requests: float = 0.1

    #: Open loop where it is above 0.
    rate_per_s: float = 0
    duration_s: float = 0
    #: Whether arrivals are at even distances, or at random as independent clients' are (a Poisson process).
    even: bool = False

    #: The factor by which the rate is raised after each `duration_s`, until a limit breaks; 0: it is not.
    raise_by: float = 0
    #: The limits of a rate that is raised.
    limit_p95_s: float = 0
    limit_errors: float = 0.01

    @property
    def is_open(self) -> bool:
        """Whether requests arrive at a rate."""
        return self.rate_per_s > 0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            BadPlan: a value is out of its range, or two do not go together.
        """
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise BadPlan(f"{name} must be from {least:g} to {most:g}, not {getattr(self, name):g}")
        if self.is_open and not self.duration_s:
            raise BadPlan("rate_per_s needs duration_s: how long requests arrive")
        if self.raise_by and not (self.is_open and self.raise_by > 1 and self.limit_p95_s):
            raise BadPlan("raise_by must be above 1, and needs rate_per_s and limit_p95_s")


#: Value → the least and the most that it may be.
_RANGES: Final = {
    "seed": (0, 2**63 - 1),
    "concurrent_users": (1, 10_000),
    "requests_per_user": (1, 1_000_000),
    "delay_between_requests": (0, 3_600),
    "timeout": (0.1, 86_400),
    "rate_per_s": (0, MOST_PER_S),
    "duration_s": (0, 604_800),
    "raise_by": (0, 10),
    "limit_p95_s": (0, 3_600),
    "limit_errors": (0, 1),
}


def plan(profile: str, changes: dict[str, Any], file: Path = PROFILES) -> Plan:
    """The profile of a file, with these changes.

    Raises:
        BadPlan: there is no such file or profile, or a value is bad.
    """
    known = profiles(file)
    if profile not in known:
        raise BadPlan(f"there is no profile {profile!r}; there are {', '.join(known)}")
    try:
        return msgspec.convert(known[profile] | changes | {"profile": profile}, Plan, strict=False)
    except msgspec.ValidationError as error:
        raise BadPlan(f"{profile}: {error}") from None


def profiles(file: Path = PROFILES) -> dict[str, dict[str, Any]]:
    """Name → what a profile sets.

    Raises:
        BadPlan: the file cannot be read.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadPlan(f"{file}: {error}") from error
    loose = [name for name, values in found.items() if not isinstance(values, dict)]
    if loose:
        raise BadPlan(f"{file}: {loose[0]} stands above the first profile, such as [mine]")
    return found
