"""Sends a process's log to the stream in Redis that all processes share, without ever holding it up."""

import contextlib
import logging
import queue
import threading
from typing import Final

import redis
import structlog
from typing_extensions import override

from actors.errors import reason
from actors.store.connection import PASSING
from actors.store.log_stream import append

#: What our own events are logged as.
OURS: Final = "quintet"

#: Events that wait to be sent; while so many do, further ones are dropped.
MOST_WAITING: Final = 2_000

#: Events of one round trip.
MOST_AT_ONCE: Final = 500

#: Pauses between two round trips, and while Redis is away.
PAUSE_S: Final = 0.2
AWAY_PAUSE_S: Final = 1.0

#: A process that ends waits this long for its last events to be sent.
LAST_WORDS_S: Final = 1.0

log = structlog.stdlib.get_logger()


class LogShipper(logging.Handler):
    """A handler whose events a thread sends; beyond `MOST_WAITING` they are dropped, which it says."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        self._client = client
        self._waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._closing = threading.Event()
        #: Events dropped because too many waited, because Redis refused them, and of both, those told of.
        self._too_many = 0
        self._refused = 0
        self._refusing = False
        self._told = 0
        self._thread = threading.Thread(target=self._run, name="log-shipper", daemon=True)
        self._thread.start()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread.ident and record.name != OURS:
            return  # what a library says of the sending would be sent, and so on for ever
        try:
            self._waiting.put_nowait(self.format(record))
        except queue.Full:
            self._too_many += 1  # the handler's lock is held
        except Exception:  # noqa: BLE001 - as every handler does it
            self.handleError(record)

    @override
    def close(self) -> None:
        """Send what is left, if that is possible within `LAST_WORDS_S`."""
        self._closing.set()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait("")  # wakes the thread
        self._thread.join(LAST_WORDS_S)
        super().close()

    def _run(self) -> None:
        unsent: list[str] = []
        while True:
            unsent = unsent or self._next()
            closing = self._closing.is_set()
            sent = self._send(unsent)
            if sent:
                unsent = []
                self._tell_of_dropped()
            if closing and (not sent or self._waiting.empty()):
                return
            self._closing.wait(PAUSE_S if sent and not self._refusing else AWAY_PAUSE_S)

    def _next(self) -> list[str]:
        """What waits, once anything does."""
        batch = [self._waiting.get()]
        with contextlib.suppress(queue.Empty):
            while len(batch) < MOST_AT_ONCE:
                batch.append(self._waiting.get_nowait())
        return [line for line in batch if line]

    def _send(self, batch: list[str]) -> bool:
        """Whether a batch is dealt with; if not, Redis is away."""
        try:
            append(self._client, batch)
        except PASSING:
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, the process goes on, and its log too
            self._refused += len(batch)
            # Told once: it is refused itself, as whatever is told of it.
            if not (self._refusing or self._closing.is_set()):
                log.warning("logs.refused", reason=reason(error))
            self._refusing = True
        else:
            self._refusing = False
        return True

    def _tell_of_dropped(self) -> None:
        dropped = self._too_many + self._refused
        # Not at the end: whoever waits for this thread may hold the lock of this handler.
        if dropped > self._told and not (self._refusing or self._closing.is_set()):
            log.warning("logs.dropped", events=dropped - self._told)
            self._told = dropped
