"""Gathers what the threads of an instance ask for into batches; one thread alone touches the engine."""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from types import MappingProxyType
from typing import Final, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.engines.base import Engine, Hypothesis, Row
from actors.errors import DeviceLost, OutOfMemory, RecognitionFailed, reason
from actors.records import SAMPLE_RATE_HZ

#: The first of several threads to arrive at an idle engine waits this long for the others.
LINGER_S: Final = 0.005

#: In so many batches younger rows may pass a row that waits, because they are of a better length.
MOST_PASSED: Final = 1

log = structlog.stdlib.get_logger()


class Limits(Struct, frozen=True):
    """How large a batch may become; a row that exceeds `audio_s` by itself goes alone."""

    rows: int
    audio_s: float
    #: Whether each row counts at the length of the longest.
    padded: bool = True

    def length_s(self, batch: Sequence["Request"]) -> float:
        """Seconds of audio that a batch counts as."""
        if self.padded:
            return len(batch) * max(request.audio_s for request in batch)
        return sum(request.audio_s for request in batch)


#: On a CPU rows of 10 s gain nothing from company, rows of 1 s a factor of two, most of it from four rows;
#: and a short recording should not wait for a batch much longer than for a long segment.
_USUAL_LIMITS: Final = {"cpu": Limits(rows=8, audio_s=20.0), "cuda": Limits(rows=32, audio_s=600.0)}


class Request(Struct, frozen=True, eq=False, kw_only=True):
    """One row that a thread wants recognised."""

    row: Row
    #: The id of the message it came with, and when that was enqueued, if it is to be measured.
    id: str = ""
    enqueued_ms: int | None = None
    #: Goes before those that are not.
    urgent: bool = True
    #: Shares its batch with no other: it may bring the process down.
    alone: bool = False
    #: What the log calls it.
    job: str = ""
    segment: int = 0

    @property
    def audio_s(self) -> float:
        """Length of the row."""
        return len(self.row.samples) / SAMPLE_RATE_HZ


class Heard(Struct, frozen=True):
    """A row was recognised."""

    hypothesis: Hypothesis
    #: Its share, by length, of the time that the engine took.
    took_ms: float


class Failed(Struct, frozen=True):
    """A row could not be recognised, by itself."""

    error: BaseException
    took_ms: float


class Journal(Protocol):
    """Hears of each batch, in the batcher's thread."""

    def begun(self, batch: Sequence[Request]) -> None:
        """The engine is about to get these; if this raises, it does not, and they get the error."""
        ...

    def ended(self, batch: Sequence[Request], outcomes: Sequence[Heard | Failed], *, idle: bool) -> None:
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
        self._waiting: dict[Request, Future[Heard]] = {}  # in the order of arrival
        #: Of those that wait, how many batches each has seen younger ones go in.
        self._passed: Counter[Request] = Counter()
        self._closed = False
        self._lost = 0
        threading.Thread(target=self._run, name="batcher", daemon=True).start()

    def recognize(self, request: Request) -> Heard:
        """Wait for a row to be recognised; called by many threads.

        Raises whatever the engine raised for that row alone, or the journal for its batch. When the device
        is lost, or the batcher closed, it never returns: the message is to go back to its queue.
        """
        future: Future[Heard] = Future()
        with self._changed:
            self._waiting[request] = future
            self._changed.notify_all()
        return future.result()

    def waiting(self) -> int:
        """How many requests are in no batch yet."""
        with self._changed:
            return len(self._waiting)

    def close(self) -> int:
        """Begin no further batch; the number of requests that will never be answered here."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            return len(self._waiting) + self._lost

    def _run(self) -> None:
        while batch := self._next():
            for future, outcome in zip(batch.values(), self._outcomes(list(batch)), strict=True):
                if isinstance(outcome, Heard):
                    future.set_result(outcome)
                elif isinstance(outcome.error, DeviceLost):
                    self._lost += 1  # the process is as good as dead: it is answered elsewhere
                    self.close()
                else:
                    future.set_exception(outcome.error)

    def _next(self) -> dict[Request, Future[Heard]]:
        """The next batch, shortest row first; empty once closed."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._changed.wait_for(lambda: len(self._waiting) >= self._expected(), LINGER_S)
            arrived = list(self._waiting)
            chosen = [] if self._closed else choose(arrived, self._limits, self._passed)
            batch = {request: self._waiting.pop(request) for request in chosen}
            self._count_passed(arrived, set(batch))
            return batch

    def _count_passed(self, arrived: Sequence[Request], batch: AbstractSet[Request]) -> None:
        """Note who is left behind by a batch though it is older than one of its rows, and as urgent."""
        youngest = {request.urgent: number for number, request in enumerate(arrived) if request in batch}
        for number, request in enumerate(arrived):
            if request in batch:
                self._passed.pop(request, None)
            elif number < youngest.get(request.urgent, 0):
                self._passed[request] += 1

    def _outcomes(self, batch: Sequence[Request]) -> Sequence[Heard | Failed]:
        try:
            self._journal.begun(batch)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            return [Failed(error, 0.0)] * len(batch)
        outcomes = self._recognize(batch)
        try:
            self._journal.ended(batch, outcomes, idle=not self.waiting())
        except Exception as error:
            log.exception("batch.not_counted", reason=reason(error))
        return outcomes

    def _recognize(self, batch: Sequence[Request]) -> list[Heard | Failed]:
        """The outcomes of a batch; one that fails is halved, until it is clear which rows fail alone."""
        started = time.perf_counter()
        hypotheses, error = self._try(batch)
        took_ms = (time.perf_counter() - started) * 1000
        if error is None:
            per_s = took_ms / max(sum(request.audio_s for request in batch), 1e-9)
            return [
                Heard(hypothesis, request.audio_s * per_s)
                for request, hypothesis in zip(batch, hypotheses, strict=True)
            ]
        if len(batch) == 1 or isinstance(error, DeviceLost):
            return [Failed(error, took_ms / len(batch))] * len(batch)
        if isinstance(error, OutOfMemory):
            self._shrink(batch)
        half = len(batch) // 2
        return [*self._recognize(batch[:half]), *self._recognize(batch[half:])]

    def _try(self, batch: Sequence[Request]) -> tuple[Sequence[Hypothesis], BaseException | None]:
        """What the engine makes of a batch, or the error it raises; even a panic must not end the thread."""
        try:
            hypotheses = self._engine.recognize([request.row for request in batch])
        except BaseException as error:
            log.warning("batch.failed", rows=len(batch), reason=reason(error), exc_info=len(batch) == 1)
            # The frames hold the tensors of the failed pass, and smaller batches need their memory.
            for cause in _causes(error):
                traceback.clear_frames(cause.__traceback__)
            return (), error
        if len(hypotheses) != len(batch):
            return (), RecognitionFailed(f"{len(hypotheses)} answers to {len(batch)} rows")
        return hypotheses, None

    def _shrink(self, batch: Sequence[Request]) -> None:
        fits_s = self._limits.length_s(batch) / 2
        if fits_s < self._limits.audio_s:
            self._limits = replace(self._limits, audio_s=fits_s)
            log.warning("batch.out_of_memory", rows=len(batch), audio_s_from_now_on=round(fits_s, 1))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def usual_limits(device: str, engine: Engine) -> Limits:
    """How large a batch is best on a device, `cpu` or `cuda`, for an engine that is loaded."""
    return replace(_USUAL_LIMITS[device], padded=engine.pads)


def choose(
    waiting: Sequence[Request], limits: Limits, passed: Mapping[Request, int] = MappingProxyType({})
) -> list[Request]:
    """The next batch of those that wait, in order of arrival: the oldest urgent one, and what fits beside it.

    Where rows are padded, those of about its length come first, because padding costs as much as speech; but
    nobody passes those that younger ones have `passed` in `MOST_PASSED` batches. Shortest first in the batch,
    so that its halves hold alike rows.
    """
    first = min(waiting, key=lambda request: not request.urgent)
    batch = [first]
    if not first.alone:
        others = [request for request in waiting if request is not first and not request.alone]
        overdue = [request for request in others if passed.get(request, 0) >= MOST_PASSED]
        alike = sorted(
            (request for request in others if request not in overdue),
            key=lambda other: (not other.urgent, limits.padded and abs(other.audio_s - first.audio_s)),
        )
        for request in sorted([*overdue, *alike], key=lambda other: not other.urgent):
            if len(batch) < limits.rows and limits.length_s([*batch, request]) <= limits.audio_s:
                batch.append(request)
            elif request in overdue:
                break
    return sorted(batch, key=lambda request: request.audio_s)
