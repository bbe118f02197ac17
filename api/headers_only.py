"""HEAD asks what GET would be answered, without the body: as those do who look whether a service is up.

To all inside, the log included, it is a GET.
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class HeadersOnly:
    """An application that takes HEAD wherever it takes GET; the body goes nowhere, and is not waited for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # With this the request is over: a stream of events sees its client gone, and ends.
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # In a copy, as uvicorn has to know that it was HEAD.
        await self._app({**scope, "method": "GET"}, receive, head)
