"""The stream of the logs of all processes: written by each of them, read from any place."""

from collections.abc import Sequence
from typing import Any, Final, cast

import redis
import redis.asyncio
from msgspec import Struct

from actors.store import keys

#: Where the stream begins.
BEGINNING: Final = "0-0"

_FIELD: Final = b"event"


class Stored(Struct, frozen=True):
    """An event of the stream: its place, and the event as JSON."""

    id: str
    line: bytes


def append(client: redis.Redis, lines: Sequence[str]) -> None:
    """Add events; the oldest are forgotten beyond about `keys.LOGS_KEPT`."""
    if not lines:
        return
    with client.pipeline(transaction=False) as pipe:
        for line in lines:
            pipe.xadd(keys.LOGS, {_FIELD: line}, maxlen=keys.LOGS_KEPT, approximate=True)
        pipe.execute()


async def before(client: redis.asyncio.Redis, place: str | None, most: int) -> list[Stored]:
    """The events before a place, or the last ones, newest first."""
    newest = "+" if place is None else f"({place}"
    return _stored(await client.xrevrange(keys.LOGS, newest, "-", count=most))


async def after(client: redis.asyncio.Redis, place: str, most: int) -> list[Stored]:
    """The events behind a place, oldest first."""
    return _stored(await client.xrange(keys.LOGS, f"({place}", "+", count=most))


async def wait_after(client: redis.asyncio.Redis, place: str, most: int, wait_ms: int) -> list[Stored]:
    """The same, but wait until there is one; empty after `wait_ms`."""
    answer: Any = await client.xread({keys.LOGS: place}, count=most, block=wait_ms)
    if not answer:
        return []
    found = next(iter(answer.values())) if isinstance(answer, dict) else answer[0][1]
    return _stored(found)


def order(place: str) -> tuple[int, int]:
    """What places are compared by."""
    at_ms, _, number = place.partition("-")
    return int(at_ms), int(number)


def _stored(entries: Any) -> list[Stored]:
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", entries)
    return [Stored(place.decode(), fields.get(_FIELD, b"")) for place, fields in found]
