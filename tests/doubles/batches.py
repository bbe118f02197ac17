"""Rows for a batcher, who asks it for them, and what it works with."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from typing_extensions import override

from actors.batcher import Batcher, Failed, Heard, Limits, Request
from actors.engines.base import Hypothesis, Row
from actors.records import SAMPLE_RATE_HZ
from tests.doubles.engines import InstantEngine

LIMITS = Limits(rows=8, audio_s=30.0)


class WatchedEngine(InstantEngine):
    """Notes the batches it gets and the threads it is called by; `answer` may raise, or wait."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.threads: set[str] = set()
        self.answer: Callable[[list[float]], None] = lambda _: None

    @override
    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        lengths_s = [len(row.samples) / SAMPLE_RATE_HZ for row in batch]
        self.batches.append(lengths_s)
        self.threads.add(threading.current_thread().name)
        self.answer(lengths_s)
        return super().recognize(batch)


class Diary:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.begun_ids: list[list[str]] = []
        self.idle: list[bool] = []
        self.took_ms: list[float] = []
        self.fails = False

    def begun(self, batch: Sequence[Request]) -> None:
        """Note who is in the batch."""
        if self.fails:
            raise ConnectionError("no Redis")
        self.begun_ids.append([request.id for request in batch])

    def ended(self, batch: Sequence[Request], outcomes: Sequence[Heard | Failed], *, idle: bool) -> None:
        """Note whether others wait."""
        assert len(batch) == len(outcomes)
        self.idle.append(idle)
        self.took_ms = [outcome.took_ms for outcome in outcomes]


def request(seconds: float, *, urgent: bool = True, alone: bool = False, name: str = "") -> Request:
    """Silence of that length."""
    samples = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    row = Row(samples=samples, language="auto", itn=True)
    return Request(row=row, id=name or str(seconds), urgent=urgent, alone=alone)


def answer_to(batcher: Batcher, request: Request) -> str | BaseException:
    """What was heard, or the error."""
    try:
        return batcher.recognize(request).hypothesis.text
    except BaseException as error:  # noqa: BLE001 - an engine may panic
        return error


def ask_at_once(batcher: Batcher, requests: Sequence[Request]) -> None:
    """Ask for all at the same moment, each in a thread of its own."""
    moment = threading.Barrier(len(requests))

    def ask(request: Request) -> None:
        moment.wait(60)
        batcher.recognize(request)

    with ThreadPoolExecutor(len(requests)) as threads:
        list(threads.map(ask, requests))


def ask_while_busy(
    batcher: Batcher, engine: WatchedEngine, requests: Sequence[Request]
) -> list[str | BaseException]:
    """Ask for all while the engine is busy with a row of 0.1 s, so that they come together."""
    go_on, usual = threading.Event(), engine.answer

    def answer(lengths_s: list[float]) -> None:
        if lengths_s == [0.1]:
            go_on.wait(60)
        else:
            usual(lengths_s)

    engine.answer = answer
    with ThreadPoolExecutor(len(requests) + 1) as threads:
        first = threads.submit(batcher.recognize, request(0.1))
        while not engine.batches:
            time.sleep(0.001)
        others = [threads.submit(answer_to, batcher, other) for other in requests]
        while batcher.waiting() < len(requests):
            time.sleep(0.001)
        go_on.set()
        first.result()
        return [other.result() for other in others]
