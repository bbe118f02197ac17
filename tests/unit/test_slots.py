"""A worker takes no more than its free threads can start, short recordings first."""

import threading

from actors.queue.slots import Slots
from actors.records import Lane


def test_no_more_than_the_capacity() -> None:
    """A full process reserves nothing until a message is done with."""
    slots = Slots(1)
    assert slots.reserve(Lane.SHORT, 0)
    slots.hold(Lane.SHORT, "a")

    assert not slots.reserve(Lane.SHORT, 0.01)
    slots.release("a")
    assert slots.reserve(Lane.SHORT, 0)


def test_long_recordings_leave_room() -> None:
    """The long lane fills only its share; the rest stays free for the short lane."""
    slots = Slots(3, long_capacity=2)
    assert slots.reserve(Lane.LONG, 0)
    slots.hold(Lane.LONG, "a")
    assert slots.reserve(Lane.LONG, 0)
    slots.hold(Lane.LONG, "b")

    assert not slots.reserve(Lane.LONG, 0.01)
    assert slots.reserve(Lane.SHORT, 0)


def test_the_short_lane_goes_first() -> None:
    """When both lanes wait for the same slot, the short one gets it."""
    slots = Slots(1)
    slots.reserve(Lane.SHORT, 0)
    slots.hold(Lane.SHORT, "busy")
    order: list[Lane] = []
    waiting = threading.Barrier(3)

    def take(lane: Lane) -> None:
        waiting.wait()
        assert slots.reserve(lane, 5)
        order.append(lane)
        slots.cancel(lane)

    takers = [threading.Thread(target=take, args=(lane,)) for lane in (Lane.LONG, Lane.SHORT)]
    for taker in takers:
        taker.start()
    waiting.wait()
    while slots.waiting() < 2:
        threading.Event().wait(0.001)
    slots.release("busy")
    for taker in takers:
        taker.join()

    assert order == [Lane.SHORT, Lane.LONG]


def test_a_stopping_worker_takes_nothing() -> None:
    """Messages are left to those who go on."""
    slots = Slots(4)
    slots.close()

    assert not slots.reserve(Lane.SHORT, 0.01)


def test_releasing_twice_frees_one_slot() -> None:
    """An acknowledgement that is repeated after a lost connection frees nothing further."""
    slots = Slots(1)
    slots.reserve(Lane.SHORT, 0)
    slots.hold(Lane.SHORT, "a")
    slots.release("a")
    slots.release("a")

    assert slots.reserve(Lane.SHORT, 0)
    assert not slots.reserve(Lane.SHORT, 0.01)
