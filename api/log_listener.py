"""One listener per API process reads the log of all processes, and hands it to the clients that follow it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Final

import redis.asyncio
from litestar.response import ServerSentEventMessage
from msgspec import Struct

from actors.store.log_stream import BEGINNING, after, order, wait_after
from api.contact import Contact
from api.errors import TooManyStreams
from api.job_events import HEARTBEAT_S
from monitoring.log_entries import LOOKED_AT_ONCE, LogEntry, LogFilter, Recent, read, recent

#: Clients that may follow at the same time.
MOST_STREAMS: Final = 32

#: Events that a stream begins with.
FIRST_SHOWN: Final = 200

#: A client that is so many events behind is cut off: it comes again, and goes on where it was.
MOST_BEHIND: Final = 1_000

#: Redis is asked to wait this long for news, which is less than `PROMPT_TIMEOUT_S`.
_WAIT_MS: Final = 500

#: Pause before a Redis that is away is asked again.
_RECONNECT_S: Final = 0.5


class _Client(Struct, frozen=True, eq=False):
    """Who follows, what it wants, and what it has not been sent yet; None ends its stream."""

    wanted: LogFilter
    unsent: asyncio.Queue[LogEntry | None]


class Begun(Struct, frozen=True, eq=False):
    """A stream that is about to be followed, and what it begins with."""

    client: _Client
    first: Recent


class LogListener:
    """Reads while anyone follows; run `listen` as a task."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client
        self._contact = Contact("logs")
        #: Those who may follow, and of them those who do.
        self._seats: set[_Client] = set()
        self._clients: set[_Client] = set()
        self._followed = asyncio.Event()
        self._place = BEGINNING
        #: Whether the process is about to stop, so that streams are to end.
        self._closed = False

    async def listen(self) -> None:
        """Hand out events for ever; what comes while Redis is away is handed out afterwards."""
        while True:
            await self._followed.wait()
            try:
                found = await wait_after(self._redis, self._place, LOOKED_AT_ONCE, _WAIT_MS)
            except Exception as error:  # noqa: BLE001 - whatever it is, streams depend on it
                self._contact.lost(error)
                await asyncio.sleep(_RECONNECT_S)
                continue
            self._contact.made()
            if found:
                self._place = found[-1].id
            for entry in read(found):
                self._hand_out(entry)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for client in list(self._clients):
            self._cut_off(client)

    async def begin(self, wanted: LogFilter, place: str | None) -> Begun:
        """A stream of what is behind a place, or without one of the last events and what follows.

        It is one of the `MOST_STREAMS` until it has been followed to its end, or `end` is called.

        Raises:
            TooManyStreams: `MOST_STREAMS` are open.
            redis.RedisError: Redis is away.
        """
        if len(self._seats) >= MOST_STREAMS:
            raise TooManyStreams(MOST_STREAMS)
        client = _Client(wanted, asyncio.Queue())
        self._seats.add(client)
        try:
            return Begun(client, await self._first(wanted, place))
        except BaseException:
            self._leave(client)
            raise

    async def _first(self, wanted: LogFilter, place: str | None) -> Recent:
        if place is None:
            return await recent(self._redis, wanted, FIRST_SHOWN)
        # Not behind the last one: the place of the first stream is where all are read from.
        last = await recent(self._redis, LogFilter(), 1)
        return await self._after(wanted, min(place, last.place, key=order))

    async def follow(self, begun: Begun) -> AsyncGenerator[ServerSentEventMessage, None]:
        """The events from a beginning on, as they are logged, until this process stops."""
        client, place = begun.client, begun.first.place
        with self._following(client, place):
            for entry in begun.first.entries:
                yield _message(entry)
            while (missed := await self._after(client.wanted, place)).place != place:
                place = missed.place
                for entry in missed.entries:
                    yield _message(entry)
            async with contextlib.aclosing(_news(client)) as found:
                async for new in found:
                    if new is None:
                        yield ServerSentEventMessage(data=None, comment="still here")
                    elif order(new.id) > order(place):
                        yield _message(new)

    async def end(self, begun: Begun) -> None:
        """Free the place of a stream: one that is never read, as its client has gone, does not itself."""
        self._leave(begun.client)

    async def _after(self, wanted: LogFilter, place: str) -> Recent:
        found = await after(self._redis, place, LOOKED_AT_ONCE)
        entries = [entry for entry in read(found) if wanted.passes(entry)]
        return Recent(entries, found[-1].id if found else place)

    @contextlib.contextmanager
    def _following(self, client: _Client, place: str) -> Iterator[None]:
        if not self._clients:
            self._place = place
        self._clients.add(client)
        self._followed.set()
        if self._closed:
            self._cut_off(client)
        try:
            yield
        finally:
            self._leave(client)

    def _leave(self, client: _Client) -> None:
        self._seats.discard(client)
        self._clients.discard(client)
        if not self._clients:
            self._followed.clear()

    def _hand_out(self, entry: LogEntry) -> None:
        for client in list(self._clients):
            if client.unsent.qsize() >= MOST_BEHIND:
                self._cut_off(client)
            elif client.wanted.passes(entry):
                client.unsent.put_nowait(entry)

    def _cut_off(self, client: _Client) -> None:
        """Send a client what it has not been sent yet, and no more; its place is free."""
        self._seats.discard(client)
        self._clients.discard(client)
        client.unsent.put_nowait(None)


async def _news(client: _Client) -> AsyncGenerator[LogEntry | None, None]:
    """What is handed to a client, until its stream ends; None after `HEARTBEAT_S` of nothing."""
    while True:
        try:
            entry = await asyncio.wait_for(client.unsent.get(), HEARTBEAT_S)
        except TimeoutError:
            yield None
            continue
        if entry is None:
            return
        yield entry


def _message(entry: LogEntry) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=entry.line, event="log", id=entry.id)
