"""Gathers what the threads of an instance ask for into batches; one thread alone touches the engine."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Protocol

import structlog
from msgspec import Struct

from actors.engines.base import Engine, Hypothesis, Row
from actors.errors import DeviceLost, OutOfMemory
from actors.records import SAMPLE_RATE_HZ

#: The first of several threads to arrive at an idle engine waits this long for the others.
LINGER_S: Final = 0.005

log = structlog.stdlib.get_logger()


class Limits(Struct, frozen=True):
    """How large a batch may become; a row that exceeds `audio_s` by itself goes alone."""

    rows: int
    #: Seconds of audio, each row counted at the length of the longest.
    audio_s: float


class Request(Struct, frozen=True, eq=False, kw_only=True):
    """One row that a thread wants recognised."""

    row: Row
    #: The id of the message it came with.
    id: str = ""
    #: Goes before those that are not.
    urgent: bool = True
    #: Shares its batch with no other: it may bring the process down.
    alone: bool = False

    @property
    def audio_s(self) -> float:
        """Length of the row."""
        return len(self.row.samples) / SAMPLE_RATE_HZ


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a request: a hypothesis, or the error that its row raised by itself."""

    hypothesis: Hypothesis | None = None
    error: Exception | None = None
    #: Its share of the time that the engine took, by length.
    took_ms: float = 0.0


class Journal(Protocol):
    """Hears of each batch, in the batcher's thread."""

    def begun(self, batch: Sequence[Request]) -> None:
        """The engine is about to get these; an error raised here becomes their outcome."""
        ...

    def ended(self, batch: Sequence[Request], outcomes: Sequence[Outcome], *, idle: bool) -> None:
        """These are their outcomes, not handed out yet; idle: no other request waits."""
        ...


class Batcher:
    """Makes batches of whatever has come together while the engine was busy.

    `expected` says how many requests are on their way or waiting, all together: only for these does an
    idle engine wait.
    """

    def __init__(self, engine: Engine, limits: Limits, journal: Journal, expected: Callable[[], int]) -> None:
        self._engine = engine
        self._limits = limits
        self._journal = journal
        self._expected = expected
        self._changed = threading.Condition()
        self._waiting: dict[Request, Future[Outcome]] = {}  # in the order of arrival
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    def recognize(self, request: Request) -> Outcome:
        """Wait for a row to be recognised; called by many threads."""
        future: Future[Outcome] = Future()
        with self._changed:
            self._waiting[request] = future
            self._changed.notify_all()
        return future.result()

    def waiting(self) -> int:
        """How many requests are in no batch yet."""
        with self._changed:
            return len(self._waiting)

    def close(self) -> None:
        """Take the thread down; nobody may be waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            requests = list(batch)
            try:
                self._journal.begun(requests)
                outcomes = self._recognize(requests)
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                outcomes = [Outcome(error=error)] * len(requests)
            self._tell(requests, outcomes)
            for future, outcome in zip(batch.values(), outcomes, strict=True):
                future.set_result(outcome)

    def _next(self) -> dict[Request, Future[Outcome]]:
        """The next batch, shortest row first; empty once closed."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._changed.wait_for(lambda: len(self._waiting) >= self._expected(), LINGER_S)
            chosen = choose(list(self._waiting), self._limits) if self._waiting else []
            return {request: self._waiting.pop(request) for request in chosen}

    def _tell(self, requests: Sequence[Request], outcomes: Sequence[Outcome]) -> None:
        try:
            self._journal.ended(requests, outcomes, idle=not self.waiting())
        except Exception as error:
            log.exception("batch.not_counted", reason=str(error))

    def _recognize(self, batch: Sequence[Request]) -> list[Outcome]:
        """The outcomes of a batch; one that fails is halved, until it is clear which rows fail alone."""
        started = time.perf_counter()
        try:
            heard = self._engine.recognize([request.row for request in batch])
        except Exception as error:  # noqa: BLE001 - whatever an engine raises costs its row alone
            took_ms = (time.perf_counter() - started) * 1000
            if len(batch) == 1 or isinstance(error, DeviceLost):
                return [Outcome(error=error, took_ms=took_ms / len(batch))] * len(batch)
            if isinstance(error, OutOfMemory):
                self._shrink(batch)
            half = len(batch) // 2
            return [*self._recognize(batch[:half]), *self._recognize(batch[half:])]
        took_ms = (time.perf_counter() - started) * 1000
        per_s = took_ms / max(sum(request.audio_s for request in batch), 1e-9)
        return [
            Outcome(hypothesis=hypothesis, took_ms=request.audio_s * per_s)
            for request, hypothesis in zip(batch, heard, strict=True)
        ]

    def _shrink(self, batch: Sequence[Request]) -> None:
        fits_s = padded_s(batch) / 2
        if fits_s < self._limits.audio_s:
            self._limits = Limits(self._limits.rows, fits_s)
            log.warning("batch.out_of_memory", rows=len(batch), audio_s_from_now_on=round(fits_s, 1))


def padded_s(batch: Sequence[Request]) -> float:
    """Seconds of audio in a batch, padding included."""
    return len(batch) * max(request.audio_s for request in batch)


def choose(waiting: Sequence[Request], limits: Limits) -> list[Request]:
    """The next batch of those that wait, in order of arrival: the oldest urgent one, and what fits beside it.

    Rows of about its length come first, because padding costs as much as speech. Shortest first in the
    batch, so that its halves hold alike rows.
    """
    first = min(waiting, key=lambda request: not request.urgent)
    batch = [first]
    if not first.alone:
        others = (request for request in waiting if request is not first and not request.alone)
        for request in sorted(
            others, key=lambda other: (not other.urgent, abs(other.audio_s - first.audio_s))
        ):
            if len(batch) < limits.rows and padded_s([*batch, request]) <= limits.audio_s:
                batch.append(request)
    return sorted(batch, key=lambda request: request.audio_s)
