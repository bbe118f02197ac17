"""What waits and what is under way, as Redis knows it."""

from typing import Any, cast

import redis.asyncio
from msgspec import Struct

from actors.queue.messages import RECOGNIZE, queues
from actors.store import keys


class Backlog(Struct, frozen=True, kw_only=True):
    """Jobs and segments at one moment."""

    #: Jobs that no segmenter has taken yet, and when the first of them was enqueued.
    waiting_jobs: int = 0
    oldest_ms: int | None = None
    running_jobs: int = 0
    #: Segments that no instance has in hand yet.
    segments_waiting: int = 0
    #: Audio that waits for recognition, by the lane it is in.
    short_ms: int = 0
    long_ms: int = 0
    #: Audio kept in Redis.
    spool_bytes: int = 0


async def read_backlog(client: redis.asyncio.Redis, queues_client: redis.asyncio.Redis) -> Backlog:
    """The backlog now; `queues_client` is connected to Dramatiq's database."""
    async with client.pipeline(transaction=False) as pipe:
        pipe.zcard(keys.QUEUED)
        pipe.zrange(keys.QUEUED, 0, 0, withscores=True)
        pipe.zcard(keys.RUNNING)
        for counter in (keys.BACKLOG_SHORT, keys.BACKLOG_LONG, keys.SPOOL):
            pipe.hget(counter, "total")
        answers = cast("tuple[int, Any, int, *tuple[bytes | None, ...]]", await pipe.execute())
    waiting, oldest, running, *totals = answers
    short_ms, long_ms, spool_bytes = (int(total or 0) for total in totals)
    async with queues_client.pipeline(transaction=False) as pipe:
        for queue in queues(RECOGNIZE):
            pipe.llen(f"dramatiq:{queue}")
        lengths = cast("list[int]", await pipe.execute())
    return Backlog(
        waiting_jobs=waiting,
        oldest_ms=int(oldest[0][1]) if oldest else None,
        running_jobs=running,
        segments_waiting=sum(lengths),
        short_ms=short_ms,
        long_ms=long_ms,
        spool_bytes=spool_bytes,
    )
