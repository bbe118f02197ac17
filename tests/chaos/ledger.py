"""What became of every request of every user."""

import enum
import threading
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct


class Outcome(enum.Enum):
    """How a request ended."""

    ANSWERED = "answered"
    #: 503 or 429, with `Retry-After`.
    REFUSED = "refused"
    #: The connection was closed, or not made, or nothing came for so long that the user came again.
    BROKEN = "broken"
    #: Another text than that of the recording sent alone.
    WRONG = "wrong"
    #: An accepted job that is gone, has failed, or never ends; or an answer that no promise allows.
    LOST = "lost"


class Event(Struct, frozen=True, kw_only=True):
    """A request and its end; times in seconds on the monotonic clock."""

    outcome: Outcome
    began_s: float
    took_s: float
    #: Whether a recording was sent, rather than a job asked for.
    upload: bool = False
    note: str = ""


class Ledger:
    """Written by all users."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._to_be_told: set[str] = set()

    def note(self, event: Event) -> None:
        """Write an event down."""
        with self._lock:
            self._events.append(event)

    def expect_callback(self, job_id: str) -> None:
        """Write down that the end of an accepted job has to be told."""
        with self._lock:
            self._to_be_told.add(job_id)

    def untold(self, told: AbstractSet[str]) -> set[str]:
        """The jobs whose end has not been told."""
        with self._lock:
            return self._to_be_told - told

    def between(self, begin_s: float, end_s: float) -> list[Event]:
        """The events of requests that began then."""
        with self._lock:
            return [event for event in self._events if begin_s <= event.began_s < end_s]


def counts(events: Sequence[Event]) -> Counter[Outcome]:
    """How many there are of each outcome."""
    return Counter(event.outcome for event in events)


def late_refusals(events: Sequence[Event], allowed_s: float) -> list[float]:
    """How long refusals of recordings took, where that is more than is allowed."""
    return [
        event.took_s
        for event in events
        if event.outcome is Outcome.REFUSED and event.upload and event.took_s > allowed_s
    ]
