"""What every answer tells browsers not to do with it."""

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

#: Where an answer says nothing else: it is no page that could run, show or ask anything, stands in no frame,
#: is what its type says, is for no other site, and is kept by no cache. Without `Access-Control-*` no other
#: site reads anything.
_HEADERS: Final = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Hardened:
    """An application around which every answer has these headers, a failure too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                said = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in _HEADERS.items() if name not in said]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, hardened if scope["type"] == ScopeType.HTTP else send)
