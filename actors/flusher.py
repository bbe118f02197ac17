"""Sends what a process has counted to Redis once a second, so that counting itself costs no round trip."""

import threading
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import redis
import structlog
from typing_extensions import override

from actors.errors import reason
from actors.meters import METERS, Meters
from actors.settings import Settings
from actors.store.connection import unrepeated
from actors.store.metrics import MetricStore

#: A process that is killed loses what it has counted for this long at most.
FLUSH_S: Final = 1.0

log = structlog.stdlib.get_logger()


class Flusher(threading.Thread):
    """Flushes for as long as the process lives; `with` starts and stops it.

    What could not be sent is sent again, but not if Redis has it after all and only its answer was lost.
    """

    def __init__(self, client: redis.Redis, meters: Meters = METERS) -> None:
        super().__init__(name="flusher", daemon=True)
        self._store = MetricStore(client, uuid4().hex)
        self._meters = meters
        self._number = 0
        self._unsent: dict[str, int] = {}
        self._failed = False
        self._stopped = threading.Event()

    @classmethod
    def of(cls, settings: Settings) -> "Flusher":
        """The flusher of a process; its connection is made when it is first needed."""
        return cls(unrepeated(settings))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @override
    def run(self) -> None:
        while not self._stopped.wait(FLUSH_S):
            try:
                self.flush()
            except Exception as error:
                # Whatever it is, such as no memory: what has been counted is sent the next time.
                log.exception("flush.failed", reason=reason(error))

    def stop(self) -> None:
        """Send what is left, and no more."""
        self._stopped.set()
        self.join()
        self.flush()

    def flush(self) -> None:
        """Send what has come together; what fails is kept for the next time."""
        try:
            if self._failed and self._store.last() == self._number:
                self._unsent, self._failed = {}, False
            if not self._unsent:
                self._unsent = self._meters.take()
                self._number += 1
            if self._unsent:
                self._store.add(self._number, self._unsent)
        except redis.RedisError as error:
            if not self._failed:
                log.warning("metrics.unsent", reason=reason(error))
            self._failed = True
        else:
            self._unsent, self._failed = {}, False
