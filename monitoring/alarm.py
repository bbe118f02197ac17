"""Keeps the book of alerts in Redis, and tells the log and the webhook what it says."""

from collections.abc import Sequence
from typing import Any, Final

import httpx
import msgspec
import redis.asyncio
import structlog

from actors.errors import reason
from actors.settings import Settings
from actors.store.watching import read_alerts, write_alerts
from monitoring.alerts import Alert, Book, Phase, turn
from monitoring.rules import Rule
from monitoring.snapshot import Snapshot

WEBHOOK_TIMEOUT_S: Final = 5.0

log = structlog.stdlib.get_logger()
_books = msgspec.json.Decoder(Book)


class Alarm:
    """Fires each alert once and resolves it once, also across restarts and while Redis is away."""

    def __init__(self, settings: Settings, client: redis.asyncio.Redis, rules: Sequence[Rule]) -> None:
        self._client = client
        self._rules = rules
        self._webhook = settings.alert_webhook
        self._book = Book()
        self._known = False

    async def judge(self, seen: Snapshot) -> tuple[str, ...]:
        """Judge what was seen, say what has changed, and return the names of the alerts that fire."""
        await self._open()
        self._book, changed = turn(self._book, self._rules, seen, tell=bool(self._webhook))
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
                self._book = msgspec.structs.replace(self._book, unsent=self._book.unsent[1:])
                await self._keep()

    async def _open(self) -> None:
        """Read what the monitor before this one knew, as soon as Redis can tell."""
        if self._known:
            return
        try:
            kept = await read_alerts(self._client)
        except redis.RedisError:
            return
        self._known = True
        try:
            earlier = _books.decode(kept) if kept else Book()
        except msgspec.DecodeError as error:  # of another version
            log.warning("alerts.forgotten", reason=str(error))
            return
        # What was judged while Redis was away is newer.
        self._book = Book(earlier.standings | self._book.standings, earlier.unsent + self._book.unsent)

    async def _keep(self) -> None:
        try:
            await write_alerts(self._client, msgspec.json.encode(self._book))
        except redis.RedisError as error:
            log.warning("alerts.unsaved", reason=reason(error))


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
