"""How the workers of all hosts are: the API is asked, or Redis on a host that has none."""

import asyncio
from urllib.parse import urlsplit, urlunsplit

import redis

from actors.settings import Settings
from actors.store.connection import prompt
from actors.store.workers import read_pool
from deploy import ask
from deploy.running import Running
from monitoring.health import HealthReport, assess


def health(service: Running) -> HealthReport | None:
    """The health of the service that runs on this host; None while nobody knows it."""
    if service.url:
        return ask.health(service.url)
    try:
        return asyncio.run(_read(service.redis_url))
    except redis.RedisError:
        return None


async def _read(redis_url: str) -> HealthReport:
    async with prompt(Settings(redis_url=redis_url)) as client:
        # By its clock, as the workers go by it.
        seconds, microseconds = await client.time()
        now_ms = seconds * 1000 + microseconds // 1000
        return assess(await read_pool(client, now_ms), expected=(), now_ms=now_ms)


def shown(redis_url: str) -> str:
    """The URL without what nobody is to read."""
    parts = urlsplit(redis_url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
