"""Connections to Redis: patient ones for the workers, prompt ones for the API."""

from urllib.parse import urlsplit, urlunsplit

import redis
import redis.asyncio
import redis.asyncio.retry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from actors.errors import StartupError
from actors.settings import Settings

#: A worker rides out a Redis that is away this many tries, before it gives up.
PATIENT_TRIES = 130

#: The API answers 503 rather than wait longer for Redis than this.
PROMPT_TIMEOUT_S = 1.0


def patient(settings: Settings) -> "redis.Redis":
    """A connection for workers: what fails is tried again until Redis is back.

    Every step may run twice, so repeating a command whose answer was lost does no harm.
    """
    return redis.Redis.from_url(jobs_url(settings), retry=patience())


def prompt_broker(settings: Settings) -> "redis.Redis":
    """A connection to the queues that fails at once when Redis is away."""
    return redis.Redis.from_url(
        broker_url(settings), retry=Retry(ExponentialBackoff(), 0), socket_connect_timeout=PROMPT_TIMEOUT_S
    )


def prompt(settings: Settings) -> "redis.asyncio.Redis":
    """A connection for the API: Redis answers within `PROMPT_TIMEOUT_S` or the request fails."""
    return redis.asyncio.Redis.from_url(
        jobs_url(settings),
        retry=redis.asyncio.retry.Retry(ExponentialBackoff(), 1),
        socket_connect_timeout=PROMPT_TIMEOUT_S,
        socket_timeout=PROMPT_TIMEOUT_S,
    )


def jobs_url(settings: Settings) -> str:
    """The database that keeps jobs, audio and results.

    Raises:
        StartupError: no Redis is named.
    """
    if not settings.redis_url:
        raise StartupError("ASR_REDIS_URL is empty: start the service with ./justw start, or name your Redis")
    return settings.redis_url


def broker_url(settings: Settings) -> str:
    """The database after it, for Dramatiq alone: its maintenance walks every key."""
    parts = urlsplit(jobs_url(settings))
    number = int(parts.path.strip("/") or "0")
    return urlunsplit(parts._replace(path=f"/{number + 1}"))


def patience() -> Retry:
    """How a worker tries again: for about two minutes, at most a second apart."""
    return Retry(ExponentialBackoff(cap=1.0, base=0.05), PATIENT_TRIES)
