"""TLS before a server that speaks none, as managed ones have it: the wheel's server is built without."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import trustme
from msgspec import Struct


class Authority(Struct, frozen=True):
    """Signs certificates; `file` is what its clients have to trust."""

    authority: trustme.CA
    file: Path

    @classmethod
    def made(cls, file: Path) -> "Authority":
        """A new one."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(file))
        return cls(authority, file)


@contextlib.contextmanager
def tls_front(authority: Authority, port: int, *, names: tuple[str, ...] = ("127.0.0.1",)) -> Iterator[int]:
    """A port on which a server speaks TLS that has `port` without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.authority.issue_cert(*names).configure_cert(context)
    ready, started = threading.Event(), list[tuple[int, Callable[[], object]]]()

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        async def front(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                behind, before = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_copy(reader, before), _copy(behind, writer))

        server = await asyncio.start_server(front, "127.0.0.1", 0, ssl=context)
        started.append((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(stop.set)))
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    ((own_port, end),) = started
    try:
        yield own_port
    finally:
        end()
        thread.join()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
