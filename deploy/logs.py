"""`logs`: what the processes of the service log on all its machines, once or as they log it."""

import asyncio
import contextlib
import sys
from typing import Final

import redis
import redis.asyncio
from msgspec import Struct
from rich.console import Console

from actors import settings
from actors.store import keys
from actors.store.connection import answering
from actors.store.log_stream import wait_after
from deploy import running
from deploy.log_files import FILES_ONLY, select, tail
from deploy.log_lines import Printer
from monitoring.log_entries import LOOKED_AT_ONCE, LogFilter, read, recent

#: Events that are shown at first; of a job all that there are.
SHOWN_EVENTS: Final = 200

#: Redis is asked to wait this long for news, and is away if it takes longer to answer.
_WAIT_MS: Final = 1_000
_ANSWER_S: Final = 3.0

#: Pause before a Redis that has gone is asked again.
_RECONNECT_S: Final = 1.0


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be shown, and how."""

    wanted: LogFilter
    follow: bool = False
    #: As JSON.
    raw: bool = False


def show(asked: Asked, console: Console) -> None:
    """Print the events that are wanted; where Redis does not answer, become `tail` on the files.

    Raises:
        NoSuchLog: no process of this name has logged anything.
    """
    name = asked.wanted.process
    if name in FILES_ONLY:
        tail(name, follow=asked.follow)
    try:
        asyncio.run(_Show(asked, console).run())
    except redis.RedisError:
        others = "" if asked.wanted == LogFilter(process=name) else ", unfiltered"
        print(f"Redis does not answer: these are the ends of the log files{others}.", file=sys.stderr)
        tail(name, follow=asked.follow)


class _Show:
    """One run of the command."""

    def __init__(self, asked: Asked, console: Console) -> None:
        self._asked = asked
        self._printer = Printer(console, raw=asked.raw)
        #: Behind what has been shown; None before anything was.
        self._place: str | None = None

    async def run(self) -> None:
        """Show and, if that is wanted, follow; a Redis that goes away meanwhile is waited for."""
        while True:
            try:
                async with _connect() as client:
                    await self._show(client)
            except redis.RedisError:
                if self._place is None:
                    raise
                print("Redis does not answer any more; waiting for it.", file=sys.stderr)
            else:
                return
            await _return_of_redis()

    async def _show(self, client: redis.asyncio.Redis) -> None:
        wanted = self._asked.wanted
        if self._place is None:
            most = 2 * keys.LOGS_KEPT if wanted.job else SHOWN_EVENTS
            begun = await recent(client, wanted, most)
            if wanted.process and not begun.entries:
                await _check_process(client, wanted.process)
            self._printer.show(begun.entries)
            self._place = begun.place
        while self._asked.follow:
            found = await wait_after(client, self._place, LOOKED_AT_ONCE, _WAIT_MS)
            self._place = found[-1].id if found else self._place
            self._printer.show(entry for entry in read(found) if wanted.passes(entry))


async def _check_process(client: redis.asyncio.Redis, name: str) -> None:
    """Raise NoSuchLog unless a process of this name has logged anything, or written a file."""
    if not (await recent(client, LogFilter(process=name), 1)).entries:
        select(name)


async def _return_of_redis() -> None:
    while True:
        await asyncio.sleep(_RECONNECT_S)
        with contextlib.suppress(redis.RedisError):
            async with _connect() as client:
                await client.ping()
            return


def _connect() -> redis.asyncio.Redis:
    """The Redis of the running service: an embedded one has another address each time it is started."""
    service = running.read()
    url = service.redis_url if service else settings.load().redis_url
    if not url:
        raise redis.ConnectionError("the service is not running")
    return answering(url, _ANSWER_S)
