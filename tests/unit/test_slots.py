"""A worker takes no more than its free threads can start, short recordings first."""

import threading
import time

import pytest

from actors.queue.slots import Slots
from actors.records import Lane


def test_short_messages_left_to_others() -> None:
    """Whoever has a long one in hand leaves them for a while to those who have none."""
    slots = Slots(4, 2, sharers=2)
    slots.leave_short(1.0)
    assert slots.reserve(Lane.SHORT, 0)
    assert slots.may_take(Lane.SHORT, 1)
    slots.cancel(Lane.SHORT)

    assert slots.reserve(Lane.LONG, 0)
    assert slots.hold(Lane.LONG, "long")
    assert slots.reserve(Lane.SHORT, 0)
    assert not slots.may_take(Lane.SHORT, 9, 0.9)
    assert slots.may_take(Lane.SHORT, 1, 1.0)


def test_a_closed_long_lane() -> None:
    """Nothing long is taken until it is open again, whoever waits; short is not touched."""
    slots = Slots(4, 2)
    slots.serve_long(False)
    assert not slots.reserve(Lane.LONG, 0)
    assert slots.reserve(Lane.SHORT, 0)

    slots.serve_long(True)
    assert slots.reserve(Lane.LONG, 0)


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
    time.sleep(0.1)  # until both wait for the slot
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


def test_a_message_in_hand_is_not_held_twice() -> None:
    """It comes back after an outage while it is still worked on: the copy frees its slot."""
    slots = Slots(2)
    slots.reserve(Lane.SHORT, 0)
    assert slots.hold(Lane.SHORT, "a")
    slots.reserve(Lane.SHORT, 0)

    assert not slots.hold(Lane.SHORT, "a")
    assert slots.in_hand() == ["a"]
    assert slots.reserve(Lane.SHORT, 0)


@pytest.mark.parametrize(
    ("in_hand", "waiting", "may"),
    [(0, 1, True), (1, 4, False), (1, 5, True), (2, 8, False), (2, 9, True), (7, 28, False), (7, 29, True)],
)
def test_one_of_five_takes_its_share(in_hand: int, waiting: int, *, may: bool) -> None:
    """What the four others could take if they were idle is left to them."""
    slots = Slots(16, sharers=5)
    for number in range(in_hand):
        slots.reserve(Lane.SHORT, 0)
        slots.hold(Lane.SHORT, str(number))
    slots.reserve(Lane.SHORT, 0)

    assert slots.may_take(Lane.SHORT, waiting) is may


def test_an_idle_process_reserves_for_one_lane_at_a_time() -> None:
    """Else each lane would take the other for work in hand, and both would wait."""
    slots = Slots(16, sharers=5)
    slots.reserve(Lane.SHORT, 0)

    assert not slots.reserve(Lane.LONG, 0.01)
    slots.cancel(Lane.SHORT)
    assert slots.reserve(Lane.LONG, 0)


def test_long_recordings_do_not_count_against_short_ones() -> None:
    """However many of them are in hand, a short one may be fetched; the other way round they do count."""
    slots = Slots(16, 8, sharers=5)
    for number in range(8):
        slots.reserve(Lane.LONG, 0)
        slots.hold(Lane.LONG, str(number))
    slots.reserve(Lane.SHORT, 0)
    assert slots.may_take(Lane.SHORT, 1)

    slots.hold(Lane.SHORT, "short")
    slots.release("0")
    slots.reserve(Lane.LONG, 0)
    assert not slots.may_take(Lane.LONG, 1)
