"""Large answers go out in pieces, as fast as the client takes them.

uvicorn waits for the client before each message of an answer, not after the last one: it takes an answer of
one message for done while megabytes of it wait to be sent, ends the connection when it has idled for a while,
and over TLS asyncio gives what is left no more than 30 seconds.
"""

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

#: As much as waits for the client at once.
PIECE_BYTES: Final = 64 << 10


class Divided:
    """An application whose answers have no larger messages than that."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def divided(message: Message) -> None:
            if message["type"] == "http.response.body":
                body = message["body"]
                sent_bytes = 0
                while len(body) - sent_bytes > PIECE_BYTES:
                    piece = body[sent_bytes : sent_bytes + PIECE_BYTES]
                    await send({**message, "body": piece, "more_body": True})
                    sent_bytes += PIECE_BYTES
                message["body"] = body[sent_bytes:]
            await send(message)

        await self._app(scope, receive, divided if scope["type"] == ScopeType.HTTP else send)
