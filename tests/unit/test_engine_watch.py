"""When an engine hangs."""

import threading

from actors.engine_watch import EngineWatch

TICK_S = 0.01


def test_a_batch_without_end_is_told_of() -> None:
    """Once it has taken longer than is allowed."""
    hangs = threading.Event()
    watch = EngineWatch(5 * TICK_S, hangs.set, TICK_S)
    watch.start()

    watch.begun()

    assert hangs.wait(10)


def test_neither_idleness_nor_many_batches_are_taken_for_it() -> None:
    """Each batch has its time, and between two of them it does not count."""
    watch = EngineWatch(3 * TICK_S, print, TICK_S)
    hung = []
    for _ in range(4):
        watch.begun()
        hung += [watch.tick(), watch.tick()]
        watch.ended()
        hung += [watch.tick(), watch.tick(), watch.tick()]
    watch.begun()
    hung += [watch.tick() for _ in range(4)]

    assert hung == [False] * 23 + [True]
