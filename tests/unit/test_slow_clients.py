"""A client that is slow to say what it wants loses its connection; one that waits for an answer does not."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
import uvicorn
from msgspec import Struct

from api import slow_clients
from api.divided import Divided
from api.slow_clients import ImpatientProtocol

POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2000000\r\n\r\n"

#: More than the kernel keeps of an answer for a client.
LARGE = b"x" * (32 << 20)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, thinks for longer than a client may be silent, and answers."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.disconnect":
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * slow_clients.SILENCE_S)
    answer = LARGE if scope["path"] == "/large" else b"ok"
    length = str(len(answer)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": answer})


class Served(Struct, frozen=True):
    """Where an application is served by the protocol, and by which connections."""

    port: int
    connections: set[Any]


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where the application is served."""
    async with serving(monkeypatch, application) as served:
        yield served.port


@contextlib.asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch, app: Any, **options: Any) -> AsyncIterator[Served]:
    """Serve an application by the protocol, with less patience than it has."""
    monkeypatch.setattr(slow_clients, "SILENCE_S", 0.5)
    monkeypatch.setattr(slow_clients, "LOOK_S", 0.05)
    config = uvicorn.Config(
        app, http=ImpatientProtocol, log_config=None, lifespan="off", timeout_keep_alive=1
    )
    config.load()
    state = uvicorn.Server(config).server_state
    server = await asyncio.get_running_loop().create_server(
        lambda: ImpatientProtocol(config, state, {}), "127.0.0.1", 0, **options
    )
    async with server:
        yield Served(server.sockets[0].getsockname()[1], state.connections)


async def told(port: int, first: bytes, drip: bytes = b"", pause_s: float = 0.1) -> bytes:
    """What a client is told that sends this, and then a drop now and then, until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    answer = asyncio.create_task(reader.read())
    try:
        while drip and not answer.done():
            writer.write(drip)
            await asyncio.wait({answer}, timeout=pause_s)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(answer, 60)
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        pytest.param(b"", b"", id="nothing at all"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"", id="half a head"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"a: b\r\n", id="a head that drips"),
        pytest.param(POST, b"", id="a body that does not come"),
        pytest.param(POST, b"x", id="a body that drips"),
    ],
)
async def test_slow_client(port: int, first: bytes, drip: bytes) -> None:
    """It is told so, and the connection ends."""
    assert (await told(port, first, drip)).startswith(b"HTTP/1.1 408 ")


async def test_second_request_that_drips(port: int) -> None:
    """A connection that is kept ends as well, without a word behind the first answer."""
    first = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"

    answer = await told(port, first, b"a")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_slow_but_steady(port: int) -> None:
    """A body may take much longer than a client may be silent."""
    body = b"x" * 100_000

    answer = await told(port, POST, body, pause_s=0.1)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_slow_answer(port: int) -> None:
    """It is not the client's turn while the service works."""
    answer = await told(port, b"GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("app", [application, Divided(application)], ids=["whole", "divided"])
@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
async def test_answer_that_is_not_taken(monkeypatch: pytest.MonkeyPatch, app: Any, connection: bytes) -> None:
    """The connection ends, whether or not the service has written all of it."""
    async with serving(monkeypatch, app) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: " + connection + b"\r\n\r\n")
        async with asyncio.timeout(60):
            await writer.drain()
            for there in (True, False):
                while bool(served.connections) is not there:  # noqa: ASYNC110 - uvicorn tells nobody
                    await asyncio.sleep(0.05)
        writer.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_slow_reader(monkeypatch: pytest.MonkeyPatch, secure: bool) -> None:  # noqa: FBT001
    """It gets all of its answer, though that takes longer than a connection may idle, and TLS to end it."""
    options: dict[str, Any] = {}
    trust = None
    if secure:
        authority = trustme.CA()
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        options = {"ssl": context, "ssl_shutdown_timeout": 1.0}
    async with serving(monkeypatch, Divided(application), **options) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port, ssl=trust)
        writer.write(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(32):
            await asyncio.sleep(0.1)
            await reader.readexactly(len(LARGE) // 32)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
