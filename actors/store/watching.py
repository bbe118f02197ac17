"""What the monitor keeps in Redis, so that every API process can tell it: its snapshots and the alerts."""

from typing import Final, cast

import redis.asyncio

from actors.store import keys

#: Snapshots are kept this long, and no more than so many: one a second.
KEPT_MS: Final = 3_600_000
MOST_SNAPSHOTS: Final = 3_600


async def add_snapshot(client: redis.asyncio.Redis, at_ms: int, snapshot: bytes) -> None:
    """Keep a snapshot, and forget those that are too old."""
    async with client.pipeline() as pipe:
        pipe.zadd(keys.SNAPSHOTS, {snapshot: at_ms})
        pipe.zremrangebyscore(keys.SNAPSHOTS, "-inf", at_ms - KEPT_MS)
        pipe.zremrangebyrank(keys.SNAPSHOTS, 0, -MOST_SNAPSHOTS - 1)
        await pipe.execute()


async def snapshots(client: redis.asyncio.Redis, since_ms: int) -> list[bytes]:
    """The snapshots since then, oldest first."""
    return cast("list[bytes]", await client.zrangebyscore(keys.SNAPSHOTS, since_ms, "+inf"))


async def write_alerts(client: redis.asyncio.Redis, book: bytes) -> None:
    """Keep how the alerts stand."""
    await client.set(keys.ALERTS, book)


async def read_alerts(client: redis.asyncio.Redis) -> bytes | None:
    """How the alerts stand; None where no monitor has said it yet."""
    return cast("bytes | None", await client.get(keys.ALERTS))
