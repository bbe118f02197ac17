"""Large answers are sent in pieces."""

from typing import Any

import pytest
from litestar.types import Receive, Scope, Send

from api.divided import PIECE_BYTES, Divided


async def sent(*bodies: bytes) -> list[Any]:
    """The messages as which an answer of these bodies goes out."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    scope: Any = {"type": "http"}
    receive: Any = None
    await Divided(app)(scope, receive, send)
    start, *rest = messages
    assert start["type"] == "http.response.start"
    return rest


@pytest.mark.parametrize(
    ("size_bytes", "pieces"),
    [
        (0, 1),
        (1, 1),
        (PIECE_BYTES, 1),
        (PIECE_BYTES + 1, 2),
        (2 * PIECE_BYTES, 2),
        (10 * PIECE_BYTES + 5, 11),
    ],
)
async def test_pieces(size_bytes: int, pieces: int) -> None:
    """Together they are the answer, and only the last one is the end."""
    body = bytes(number % 251 for number in range(size_bytes))

    messages = await sent(body)

    assert b"".join(message["body"] for message in messages) == body
    assert max(len(message["body"]) for message in messages) <= PIECE_BYTES
    assert [message["more_body"] for message in messages] == [True] * (pieces - 1) + [False]


async def test_what_comes_in_parts_goes_on() -> None:
    """The end of a part is not that of the answer."""
    messages = await sent(b"a" * (PIECE_BYTES + 1), b"b")

    assert [message["body"][:1] for message in messages] == [b"a", b"a", b"b"]
    assert [message["more_body"] for message in messages] == [True, True, False]
