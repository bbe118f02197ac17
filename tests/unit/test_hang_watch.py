"""When a decoder or an engine hangs."""

import queue
import threading
from collections.abc import Iterator

import pytest

from actors.hang_watch import HangWatch

TICK_S = 0.01


def test_a_step_without_end_is_told_of() -> None:
    """Though other threads go on."""
    hung: queue.SimpleQueue[str] = queue.SimpleQueue()
    goes_on = threading.Event()
    watch = HangWatch(5 * TICK_S, hung.put, TICK_S)

    def endless() -> Iterator[int]:
        yield 1
        goes_on.wait(10)

    decoder = threading.Thread(target=lambda: list(watch.over("hanging", endless())))
    watch.start()
    decoder.start()

    while hung.empty():
        assert list(watch.over("lively", range(3))) == [0, 1, 2]
        assert decoder.is_alive()
    goes_on.set()
    decoder.join()

    assert hung.get() == "hanging"
    assert hung.empty()


def test_neither_many_steps_nor_what_is_done_with_an_item_are_taken_for_it() -> None:
    """Each step has its time, and between two of them it does not count; one that hangs is told of once."""
    watch = HangWatch(2 * TICK_S, print, TICK_S)
    hung = []

    def items() -> Iterator[int]:
        for number in range(4):
            hung.extend([watch.tick(), watch.tick()])
            yield number

    for _ in watch.over("job", items()):
        hung += [watch.tick() for _ in range(5)]
    with watch.step("job"):
        hung += [watch.tick() for _ in range(5)]

    assert [jobs for jobs in hung if jobs] == [["job"]]
    assert hung[-3] == ["job"]


def test_waiting_for_others_does_not_count() -> None:
    """Such as for a Redis that is away."""
    watch = HangWatch(2 * TICK_S, print, TICK_S)
    hung = []

    with watch.step("job"):
        for _ in range(3):
            hung += [watch.tick(), watch.tick()]
            with watch.pause("job"):
                hung += [watch.tick() for _ in range(5)]
        hung += [watch.tick(), watch.tick()]
        assert not any(hung)
        assert watch.tick() == ["job"]


def test_errors_pass() -> None:
    """A step that fails is over."""
    watch = HangWatch(0, print, TICK_S)

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        list(watch.over("job", broken()))

    assert watch.tick() == []
