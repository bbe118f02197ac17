"""Keeps the clock of a process with that of Redis, which all hosts can ask."""

import threading
import time
from typing import Final

import redis
import structlog
from typing_extensions import override

from actors import clock
from actors.errors import reason
from actors.settings import Settings
from actors.store.connection import unrepeated

#: How often it asks: clocks drift by milliseconds in that time, but may be put right at once.
ASK_EVERY_S: Final = 10.0

#: And while it has had no answer.
ASK_AGAIN_S: Final = 1.0

#: A difference that the operator should know of.
_WORTH_TELLING_MS: Final = 2_000

log = structlog.stdlib.get_logger()


class ClockFollower(threading.Thread):
    """Asks for as long as the process lives."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(name="clock-follower", daemon=True)
        self._client = client
        self._told = False

    @override
    def run(self) -> None:
        while True:
            time.sleep(ASK_EVERY_S if self.ask() else ASK_AGAIN_S)

    def ask(self) -> bool:
        """Ask once; false while Redis does not answer, or too late."""
        began_s = time.monotonic()
        try:
            seconds, microseconds = self._client.time()
        except redis.RedisError:
            return False
        except Exception as error:
            # Whatever it is: the next answer may tell.
            log.exception("clock.failed", reason=reason(error))
            return False
        heard = clock.set_by(seconds * 1000 + microseconds // 1000, (time.monotonic() - began_s) * 1000)
        self._tell()
        return heard

    def _tell(self) -> None:
        """Say once that the clocks differ; it does no harm, but should not be."""
        differs = abs(clock.offset_ms()) > _WORTH_TELLING_MS
        if differs and not self._told:
            log.warning("clock.differs", redis_is_ahead_ms=clock.offset_ms())
        self._told = differs


def follow(settings: Settings) -> None:
    """Go by the clock of Redis from now on, unless it is that of this machine."""
    if settings.shares_redis:
        follower = ClockFollower(unrepeated(settings))
        if not follower.ask():  # the first time it has to connect, too
            follower.ask()
        follower.start()
