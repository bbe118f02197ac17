"""What all processes have counted together, in Redis."""

from collections.abc import Mapping
from typing import cast

import redis
import redis.asyncio

from actors.store import keys


class MetricStore:
    """How a process adds what it has counted; synchronous."""

    def __init__(self, client: redis.Redis, process: str) -> None:
        self._client = client
        self._marker = keys.flushed(process)

    def add(self, number: int, amounts: Mapping[str, int]) -> None:
        """Add these amounts, and the number of this flush with them: all of it or nothing."""
        with self._client.pipeline() as pipe:
            for field, amount in amounts.items():
                pipe.hincrby(keys.METRICS, field, amount)
            pipe.set(self._marker, number, ex=keys.FLUSHED_TTL_S)
            pipe.execute()

    def last(self) -> int:
        """The number of the last flush of this process that was added; 0 where none is remembered."""
        return int(cast("bytes | None", self._client.get(self._marker)) or 0)


async def read_metrics(client: redis.asyncio.Redis) -> dict[str, int]:
    """All that has been counted since Redis was first started, by field."""
    counted = cast("dict[bytes, bytes]", await client.hgetall(keys.METRICS))
    return {field.decode(): int(amount) for field, amount in counted.items()}
