"""What cannot be told to hurry is left behind when the time is up."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def within(timeout_s: float, ask: Callable[[], _T]) -> _T:
    """What `ask` returns or raises; once it is late its thread is left alone, and what it finds dropped.

    Raises:
        TimeoutError: it has not ended in time.
    """
    answer: Future[_T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(timeout_s)
