"""Threads ask for rows; one thread makes batches of them, and a row that fails costs no other."""

import statistics
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from actors.batcher import LINGER_S, Batcher
from actors.errors import DeviceLost, OutOfMemory, RecognitionFailed
from tests.doubles.batches import (
    LIMITS,
    Diary,
    WatchedEngine,
    answer_to,
    ask_at_once,
    ask_while_busy,
    request,
)


@pytest.fixture
def engine() -> WatchedEngine:
    """An engine that answers at once."""
    return WatchedEngine()


@pytest.fixture
def diary() -> Diary:
    """An empty journal."""
    return Diary()


@pytest.fixture
def batcher(engine: WatchedEngine, diary: Diary) -> Iterator[Batcher]:
    """A batcher that expects nobody but those who wait."""
    batcher = Batcher(engine, LIMITS, diary, lambda: 0)
    yield batcher
    batcher.close()


def test_rows_that_come_together_share_a_batch(batcher: Batcher, engine: WatchedEngine) -> None:
    """Each gets its own answer, whatever order the batch had; the engine knows one thread."""
    outcomes = ask_while_busy(batcher, engine, [request(s) for s in (3, 1, 2)])

    assert outcomes == ["48000 samples", "16000 samples", "32000 samples"]
    assert engine.batches == [[0.1], [1, 2, 3]]
    assert engine.threads == {"batcher"}


def test_limits(batcher: Batcher, engine: WatchedEngine) -> None:
    """No batch has more rows or padded seconds than allowed; one row may be longer."""
    seconds = [1.0] * 20 + [12.0] * 5 + [40.0]
    ask_while_busy(batcher, engine, [request(s) for s in seconds])

    assert sorted(s for batch in engine.batches for s in batch) == sorted([0.1, *seconds])
    assert all(len(batch) <= LIMITS.rows for batch in engine.batches)
    assert all(len(batch) * max(batch) <= LIMITS.audio_s for batch in engine.batches if len(batch) > 1)
    assert [40.0] in engine.batches


def test_nobody_is_passed_twice(batcher: Batcher, engine: WatchedEngine) -> None:
    """Younger ones go before the odd length once, for the sake of the batch; from then on none does."""
    ask_while_busy(batcher, engine, [request(s) for s in (1, 10, 20, *[1] * 7, 10, 10)])

    assert engine.batches[1:] == [[1] * 8, [10], [20], [10, 10]]


def test_a_row_that_fails_fails_alone(batcher: Batcher, engine: WatchedEngine) -> None:
    """The others of its batch are answered; its own error comes back."""

    def answer(lengths_s: list[float]) -> None:
        if 3 in lengths_s:
            raise RecognitionFailed(f"three among {len(lengths_s)}")

    engine.answer = answer
    outcomes = ask_while_busy(batcher, engine, [request(s) for s in (1, 2, 3, 4, 5)])

    assert outcomes[:2] + outcomes[3:] == [f"{n * 16_000} samples" for n in (1, 2, 4, 5)]
    assert str(outcomes[2]) == "three among 1"


def test_out_of_memory_halves(batcher: Batcher, engine: WatchedEngine) -> None:
    """All are answered in smaller batches, and later batches stay small."""

    def answer(lengths_s: list[float]) -> None:
        if len(lengths_s) * max(lengths_s) > 10:
            raise OutOfMemory("full")

    engine.answer = answer
    first = ask_while_busy(batcher, engine, [request(4 + i / 100) for i in range(6)])
    failed = len([batch for batch in engine.batches if len(batch) * max(batch) > 10])
    engine.batches.clear()
    second = ask_while_busy(batcher, engine, [request(4 + i / 100) for i in range(6)])

    assert all(isinstance(outcome, str) for outcome in (*first, *second))
    assert failed > 0
    assert all(len(batch) * max(batch) <= 10 for batch in engine.batches)


def test_out_of_memory_for_one_row(batcher: Batcher, engine: WatchedEngine) -> None:
    """What does not fit alone is reported."""

    def answer(_: list[float]) -> None:
        raise OutOfMemory("full")

    engine.answer = answer

    assert isinstance(answer_to(batcher, request(2)), OutOfMemory)


def test_a_lost_device_is_asked_once(batcher: Batcher, engine: WatchedEngine, diary: Diary) -> None:
    """Halving would not bring it back; who was in the batch, or waits, is left to the process's end."""

    def answer(_: list[float]) -> None:
        raise DeviceLost("gone")

    engine.answer = answer
    threads = [
        threading.Thread(target=batcher.recognize, args=(request(seconds),), daemon=True)
        for seconds in (1, 2)
    ]
    for thread in threads:
        thread.start()
        while not engine.batches:
            time.sleep(0.001)
    while batcher.close() < len(threads):
        time.sleep(0.001)

    assert len(engine.batches) == 1
    assert len(diary.idle) == 1
    assert all(thread.is_alive() for thread in threads)


def test_the_journal_hears_of_every_batch(batcher: Batcher, engine: WatchedEngine, diary: Diary) -> None:
    """Who is in it before the engine gets it, and whether others wait after it."""
    ask_while_busy(batcher, engine, [request(1, name="a"), request(2, name="b")])

    assert diary.begun_ids == [["0.1"], ["a", "b"]]
    assert diary.idle == [False, True]


def test_a_journal_that_fails_costs_a_try(batcher: Batcher, engine: WatchedEngine, diary: Diary) -> None:
    """What cannot be accounted for is not run, and the batcher lives on."""
    diary.fails = True
    failed = answer_to(batcher, request(1))
    diary.fails = False

    assert isinstance(failed, ConnectionError)
    assert (engine.batches, diary.idle) == ([], [])
    assert answer_to(batcher, request(1)) == "16000 samples"


def test_an_idle_engine_waits_for_the_expected(engine: WatchedEngine, diary: Diary) -> None:
    """One alone is not kept waiting; one whose company does not come waits a few milliseconds."""
    medians_s = []
    for count in (1, 2):
        batcher = Batcher(engine, LIMITS, diary, lambda count=count: count)  # type: ignore[misc]
        medians_s.append(statistics.median(seconds_for(batcher) for _ in range(9)))
        batcher.close()

    assert medians_s[0] < medians_s[1]
    assert medians_s[1] >= LINGER_S


def test_those_expected_share_the_first_batch(engine: WatchedEngine, diary: Diary) -> None:
    """Of four that come at the same moment there are fewer batches than if nobody waited for them."""
    batches = []
    for count in (1, 4):
        batcher = Batcher(engine, LIMITS, diary, lambda count=count: count)  # type: ignore[misc]
        engine.batches.clear()
        for _ in range(20):
            ask_at_once(batcher, [request(s) for s in (1, 2, 3, 4)])
        batcher.close()
        batches.append(len(engine.batches))

    assert batches[1] < batches[0]


def seconds_for(batcher: Batcher) -> float:
    """How long one row takes."""
    started = time.perf_counter()
    batcher.recognize(request(1))
    return time.perf_counter() - started


def test_the_time_is_shared_by_length(batcher: Batcher, engine: WatchedEngine, diary: Diary) -> None:
    """Together the rows of a batch take what the batch took."""
    engine.answer = lambda _: time.sleep(0.05)
    ask_while_busy(batcher, engine, [request(1), request(3)])
    short_ms, long_ms = diary.took_ms

    assert long_ms == pytest.approx(3 * short_ms)
    assert short_ms + long_ms >= 50


class Panic(BaseException):
    """What a library in Rust raises."""


def test_a_panic_does_not_end_the_thread(batcher: Batcher, engine: WatchedEngine) -> None:
    """It fails its row like any error, and the next row is recognised."""

    def answer(lengths_s: list[float]) -> None:
        if 2 in lengths_s:
            raise Panic

    engine.answer = answer

    assert isinstance(answer_to(batcher, request(2)), Panic)
    assert answer_to(batcher, request(1)) == "16000 samples"


def test_a_failed_batch_frees_its_memory(batcher: Batcher, engine: WatchedEngine) -> None:
    """What the failed pass had allocated is gone before its halves are tried."""
    alive: list[int] = []
    passes: list[weakref.ref[np.ndarray[tuple[int], np.dtype[np.float32]]]] = []

    def answer(lengths_s: list[float]) -> None:
        alive.append(sum(tensor() is not None for tensor in passes))
        activations = np.zeros(1_000, np.float32)
        passes.append(weakref.ref(activations))
        if len(lengths_s) > 1:
            raise OutOfMemory("full") from RuntimeError("allocator")

    engine.answer = answer
    ask_while_busy(batcher, engine, [request(1), request(2)])

    assert alive == [0, 0, 0]


def test_a_closed_batcher_begins_nothing(engine: WatchedEngine, diary: Diary) -> None:
    """The batch in hand is finished; who waits is left to the process's end."""
    go_on = threading.Event()
    engine.answer = lambda _: (go_on.wait(10), None)[1]
    batcher = Batcher(engine, LIMITS, diary, lambda: 0)
    answers: list[str | BaseException] = []
    threads = [
        threading.Thread(target=lambda: answers.append(answer_to(batcher, request(1))), daemon=True)
        for _ in range(2)
    ]
    threads[0].start()
    while not engine.batches:
        time.sleep(0.001)
    threads[1].start()
    while not batcher.waiting():
        time.sleep(0.001)
    batcher.close()
    go_on.set()
    threads[0].join(10)
    time.sleep(0.1)

    assert answers == ["16000 samples"]
    assert (len(engine.batches), batcher.waiting()) == (1, 1)
