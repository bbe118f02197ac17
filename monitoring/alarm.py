"""Keeps the book of alerts, in Redis and in a file, and tells the log and the webhook what it says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import redis.asyncio
import structlog
from msgspec.structs import replace

from actors.errors import reason
from actors.settings import STATE_DIR, Settings
from actors.store.watching import read_alerts, write_alerts
from monitoring.alerts import Alert, Book, Phase, turn
from monitoring.rules import Rule
from monitoring.snapshot import Snapshot

WEBHOOK_TIMEOUT_S: Final = 5.0

#: A monitor that starts while Redis is away knows from here what the one before it has told.
COPY: Final = STATE_DIR / "alerts.json"

log = structlog.stdlib.get_logger()
_books = msgspec.json.Decoder(Book)


class Alarm:
    """Fires each alert once and resolves it once, also across restarts and while Redis is away."""

    def __init__(
        self, settings: Settings, client: redis.asyncio.Redis, rules: Sequence[Rule], copy: Path = COPY
    ) -> None:
        self._client = client
        self._rules = rules
        self._webhook = settings.alert_webhook
        self._interval_s = settings.monitor_interval_s
        self._copy = copy
        self._book = _read(copy)
        self._copied_ms = self._book.judged_ms
        #: Whether Redis has told what it knows.
        self._asked = False

    async def judge(self, seen: Snapshot) -> tuple[str, ...]:
        """Judge what was seen, say what has changed, and return the names of the alerts that fire."""
        await self._open()
        turned, changed = turn(self._book, self._rules, seen, tell=bool(self._webhook))
        self._book = replace(turned, interval_s=self._interval_s)
        # Before anybody is told: a monitor that is killed now must not fire again.
        await self._keep()
        for alert in changed:
            _log(alert)
        return self._book.firing

    async def send(self) -> None:
        """Tell the webhook what it does not know yet, in order; what fails is tried at the next look."""
        if not self._book.unsent:
            return
        async with httpx.AsyncClient(timeout=WEBHOOK_TIMEOUT_S) as client:
            for alert in self._book.unsent:
                try:
                    answer = await client.post(self._webhook, json=_message(alert))
                    answer.raise_for_status()
                except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                    # Its address is not logged: it may hold a password.
                    log.warning("alert.unsent", alert=alert.name, reason=_why(error))
                    if not _is_final(error):
                        break
                self._book = replace(self._book, unsent=self._book.unsent[1:])
                await self._keep()

    async def _open(self) -> None:
        """Go on from what Redis knows, as soon as it can tell, unless the copy was as new."""
        if self._asked:
            return
        try:
            kept = await read_alerts(self._client)
        except redis.RedisError:
            return
        self._asked = True
        earlier = _decoded(kept) if kept else Book()
        if earlier.judged_ms <= self._copied_ms:
            return
        if self._book.judged_ms > self._copied_ms:  # what was judged while Redis was away is newer yet
            standings = earlier.standings | self._book.standings
            earlier = replace(earlier, standings=standings, unsent=earlier.unsent + self._book.unsent)
        self._book = earlier

    async def _keep(self) -> None:
        book = msgspec.json.encode(self._book)
        try:
            _write(self._copy, book)
        except OSError as error:
            log.warning("alerts.unsaved", reason=reason(error))
        try:
            await write_alerts(self._client, book)
        except redis.RedisError as error:
            log.warning("alerts.unsaved", reason=reason(error))


def _decoded(kept: bytes) -> Book:
    try:
        return _books.decode(kept)
    except msgspec.DecodeError as error:  # of another version
        log.warning("alerts.forgotten", reason=str(error))
        return Book()


def _read(path: Path) -> Book:
    try:
        return _decoded(path.read_bytes())
    except FileNotFoundError:
        return Book()
    except OSError as error:
        log.warning("alerts.forgotten", reason=reason(error))
        return Book()


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, also where the process is killed."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def _log(alert: Alert) -> None:
    event = log.info if alert.state is Phase.RESOLVED else log.warning
    event(
        f"alert.{alert.state}",
        alert=alert.name,
        severity=alert.severity,
        value=alert.value,
        threshold=alert.threshold,
        summary=alert.summary,
    )


def _message(alert: Alert) -> dict[str, Any]:
    """The alert, and a sentence of it under the name that chat programs read."""
    said: dict[str, Any] = msgspec.to_builtins(alert)
    return said | {"text": f"Quintet: {alert.name} ({alert.severity}) is {alert.state}: {alert.summary}"}


def _is_final(error: Exception) -> bool:
    """Whether the receiver will never take it: it says that the alert is at fault."""
    status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else 0
    return 400 <= status < 500 and status not in {408, 429}


def _why(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    return type(error).__name__
