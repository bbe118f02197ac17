"""The access log: each request when it comes, and when it has been answered."""

import re
import time
from contextvars import ContextVar
from typing import Any, Final
from uuid import uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CLIENT_GONE

#: What is asked all the time, by machines and by the page itself, is only told of at debug.
_QUIET: Final = ("/health", "/stats", "/metrics", "/monitoring/", "/docs/assets", "/page/")
_PAGE: Final = "/"

#: Of a path that leads nowhere: it may hold anything.
_NOWHERE: Final = "unknown"

#: What else stands in the place of an id may be anything too.
_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")

log = structlog.stdlib.get_logger()

_request: ContextVar[str] = ContextVar("_request")


def request_id() -> str:
    """The id of the request that is being answered; the job that it hands in has the same."""
    return _request.get(None) or uuid4().hex


class Logged:
    """An application around which requests are logged, so that every answer of it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == ScopeType.HTTP:
            await _Request(scope, receive, send).answer(self._app)
        else:
            await self._app(scope, receive, send)


class _Request:
    """One request. It has come once the application, which knows its path by then, reads or answers it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._come = False
        self._status = CLIENT_GONE

    async def answer(self, app: ASGIApp) -> None:
        """Have it answered."""
        number = uuid4().hex
        _request.set(number)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=number)
        started = time.perf_counter()
        try:
            await app(self._scope, self._receiving, self._sending)
        except Exception:
            self._status = 500
            raise
        finally:
            path = self._path()
            tell = log.debug if path == _PAGE or path.startswith(_QUIET) else log.info
            tell(
                "request.answered",
                method=self._scope.get("method"),
                path=path,
                status=self._status,
                took_ms=round((time.perf_counter() - started) * 1000, 3),
            )

    async def _receiving(self) -> Any:
        self._tell_of_coming()
        return await self._receive()

    async def _sending(self, message: Message) -> None:
        self._tell_of_coming()
        if message["type"] == "http.response.start":
            self._status = message["status"]
        await self._send(message)

    def _tell_of_coming(self) -> None:
        if not self._come:
            self._come = True
            job_id = str(self._scope.get("path_params", {}).get("job_id", ""))
            if _JOB_ID.fullmatch(job_id):
                structlog.contextvars.bind_contextvars(job=job_id)
            log.debug("request.received", method=self._scope.get("method"), path=self._path())

    def _path(self) -> str:
        return self._scope.get("path_template") or _NOWHERE
