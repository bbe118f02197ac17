"""What the instances say of themselves and what waits for them, as the API needs it."""

import time
from collections.abc import Sequence

import redis.asyncio

from actors.clock import now_ms
from actors.names import WorkerName
from actors.records import Capabilities
from actors.store.backlog import Backlog, read_backlog
from actors.store.workers import Pool, read_pool
from api.errors import Unavailable
from monitoring.health import HealthReport, assess

#: A look at the pool serves all requests for this long.
_FRESH_S = 1.0


class InstancePool:
    """The instances, looked up in Redis at most once per `_FRESH_S` for deciding about requests.

    `expected`: the workers that there should be, whether or not they have ever been heard of.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        queues_client: redis.asyncio.Redis,
        *,
        expected: Sequence[WorkerName],
    ) -> None:
        self.client = client
        self._queues_client = queues_client
        self._expected = expected
        self._seen: tuple[float, Capabilities | None] = (float("-inf"), None)

    async def capabilities(self) -> Capabilities:
        """What every living instance can do, whichever of them takes a segment.

        Raises:
            Unavailable: no instance is ready.
        """
        seen_at, able = self._seen
        if time.monotonic() - seen_at > _FRESH_S:
            able = (await self.health()).model
            self._seen = (time.monotonic(), able)
        if able is None:
            raise Unavailable("no instance is ready yet; GET /health says why")
        return able

    async def health(self) -> HealthReport:
        """How the instances are now."""
        return self.assess(await self.read())

    def assess(self, pool: Pool) -> HealthReport:
        """How the instances in a pool are."""
        return assess(pool, expected=self._expected, now_ms=now_ms())

    async def read(self) -> Pool:
        """What Redis knows of the instances now."""
        return await read_pool(self.client, now_ms())

    async def backlog(self) -> Backlog:
        """What waits now."""
        return await read_backlog(self.client, self._queues_client)
