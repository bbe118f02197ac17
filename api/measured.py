"""Counts and times the requests that hand recordings in, whatever becomes of them."""

import time
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from actors.metrics import REQUEST_S, REQUESTS, Endpoint, Status
from api.errors import CLIENT_GONE

#: What is measured; a client that asks how a job is doing is not.
PATHS: Final = {
    "/asr": Endpoint.ASR,
    "/asr_simple": Endpoint.ASR_SIMPLE,
    "/jobs": Endpoint.JOBS,
    "/v1/audio/transcriptions": Endpoint.OPENAI,
}


class Measured:
    """An application around which requests are measured, so that every answer of it counts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        endpoint = _endpoint(scope)
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        answered = CLIENT_GONE

        async def watched(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, watched)
        except Exception:
            answered = 500
            raise
        finally:
            REQUESTS.add(endpoint, _class(answered))
            if _class(answered) is Status.OK:  # a refusal is fast, and says nothing of recognition
                REQUEST_S.observe(time.perf_counter() - started, endpoint)


def _endpoint(scope: Scope) -> Endpoint | None:
    if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
        return None
    return PATHS.get(scope["path"].rstrip("/"))


def _class(status: int) -> Status:
    if status < 400:
        return Status.OK
    return Status.REFUSED if status < 500 else Status.FAILED
