"""Tells the log that a listener has lost Redis, and that it is back: once each, however often it asks."""

from typing import Literal

import structlog

from actors.errors import reason

log = structlog.stdlib.get_logger()


class Contact:
    """Whether Redis answers a listener."""

    def __init__(self, listener: Literal["jobs", "logs"]) -> None:
        self._listener = listener
        self._is_lost = False

    def lost(self, error: Exception) -> None:
        """It does not."""
        if not self._is_lost:
            log.warning("listener.lost", listener=self._listener, reason=reason(error))
        self._is_lost = True

    def made(self) -> None:
        """It does."""
        if self._is_lost:
            log.info("listener.back", listener=self._listener)
        self._is_lost = False
