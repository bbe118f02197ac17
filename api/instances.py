"""What the instances say of themselves and what waits for them, as the API needs it."""

import time

import redis.asyncio

from actors.clock import now_ms
from actors.records import Capabilities
from actors.store.backlog import Backlog, read_backlog
from actors.store.workers import Pool, read_pool
from api.errors import Unavailable
from monitoring.health import HealthReport, assess

#: A look at the pool serves all requests for this long.
_FRESH_S = 1.0


class InstancePool:
    """The instances, looked up in Redis at most once per `_FRESH_S` for deciding about requests."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        queues_client: redis.asyncio.Redis,
        *,
        instances: int,
        segmenters: int,
    ) -> None:
        self.client = client
        self._queues_client = queues_client
        self._instances = instances
        self._segmenters = segmenters
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
        return assess(pool, instances=self._instances, segmenters=self._segmenters, now_ms=now_ms())

    async def read(self) -> Pool:
        """What Redis knows of the instances now."""
        return await read_pool(self.client, now_ms())

    async def backlog(self) -> Backlog:
        """What waits now."""
        return await read_backlog(self.client, self._queues_client)
