"""Connections to Redis: patient ones for the workers, prompt ones for the API."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.exceptions
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from typing_extensions import override

from actors.errors import StartupError
from actors.settings import Settings
from actors.store import sentinel
from actors.store.sentinel_url import database_after, is_sentinel

#: A worker rides out a Redis that is away this many tries, before it gives up.
PATIENT_TRIES = 130

#: The API answers 503 rather than wait longer for Redis than this, so that the client has it within a second.
PROMPT_TIMEOUT_S = 0.8

#: Connections of an API process; a request that needs one more waits for it this long.
PROMPT_CONNECTIONS = 64
PROMPT_POOL_TIMEOUT_S = 20.0

#: What it means that Redis is away, or busy loading.
AWAY = (redis.ConnectionError, redis.TimeoutError)

#: A connection that is of no use any more: another one may lead to a Redis that answers. One that cannot be
#: written to was the master before it became a replica of another, as behind the name of a managed one.
_BROKEN = (redis.ConnectionError, redis.exceptions.ReadOnlyError)

#: What passes by itself: it is away, out of memory for the moment, or no master any more.
PASSING = (*AWAY, *_BROKEN, redis.exceptions.OutOfMemoryError)

#: What Redis says while its disk is full, and it can note no change there, or while it has fewer replicas
#: than it shall have; of several commands redis-py says first which.
_UNWRITABLE = re.compile(r"^(Command # .* caused error: )?(MISCONF|NOREPLICAS) ", re.DOTALL)

_T = TypeVar("_T")


def patient(settings: Settings) -> "redis.Redis":
    """A connection for workers: what fails is tried again until Redis is back.

    Every step may run twice, so repeating a command whose answer was lost does no harm.
    """
    return connect(jobs_url(settings), retry=patience(), retry_on_error=list(PASSING))


def prompt_broker(settings: Settings) -> "redis.Redis":
    """A connection to the queues that fails at once when Redis is away."""
    return connect(broker_url(settings), retry=_once(), socket_connect_timeout=PROMPT_TIMEOUT_S)


def unrepeated(settings: Settings) -> "redis.Redis":
    """A connection that never repeats a command by itself, for those that must not run twice."""
    return connect(
        jobs_url(settings),
        retry=_once(),
        socket_connect_timeout=PROMPT_TIMEOUT_S,
        socket_timeout=PROMPT_TIMEOUT_S,
    )


def prompt(settings: Settings) -> "redis.asyncio.Redis":
    """A connection for the API: Redis answers within `PROMPT_TIMEOUT_S` or the request fails."""
    return answering(jobs_url(settings), PROMPT_TIMEOUT_S)


def prompt_queues(settings: Settings) -> "redis.asyncio.Redis":
    """The same to Dramatiq's database, for those who only look at the queues."""
    return answering(broker_url(settings), PROMPT_TIMEOUT_S)


def connect(url: str, **options: Any) -> "redis.Redis":
    """A connection to whatever `ASR_REDIS_URL` may name.

    Raises:
        StartupError: it names nothing.
    """
    with _readable():
        if is_sentinel(url):
            return sentinel.master(url, **options)
        return redis.Redis.from_url(url, **options)


def answering(url: str, within_s: float) -> "redis.asyncio.Redis":
    """The same from an event loop, to a Redis that answers within so long.

    Raises:
        StartupError: the URL names nothing.
    """
    options: dict[str, Any] = {
        "max_connections": PROMPT_CONNECTIONS,
        "timeout": PROMPT_POOL_TIMEOUT_S,
        # Once more where a connection has broken: Redis may be back. One that does not answer will not now.
        "retry": redis.asyncio.retry.Retry(ExponentialBackoff(), 1, supported_errors=_BROKEN),
        "socket_connect_timeout": within_s,
        "socket_timeout": within_s,
    }
    with _readable():
        if is_sentinel(url):
            return sentinel.prompt_master(url, **options)
        return redis.asyncio.Redis.from_pool(redis.asyncio.BlockingConnectionPool.from_url(url, **options))


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
    if is_sentinel(jobs_url(settings)):
        return database_after(jobs_url(settings))
    parts = urlsplit(jobs_url(settings))
    if parts.scheme == "unix":  # whose path is that of the socket
        number = int(parts.query.removeprefix("db=") or "0")
        return f"{jobs_url(settings).partition('?')[0]}?db={number + 1}"
    number = int(parts.path.strip("/") or "0")
    return urlunsplit(parts._replace(path=f"/{number + 1}"))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        # What stands in the place of a port may be a password.
        said = "its port is no number" if str(error).startswith("Port ") else error
        raise StartupError(f"ASR_REDIS_URL cannot be used: {said} (docs/redis.md)") from None


def _once() -> Retry:
    """No second try; but a connection that has broken is not kept."""
    return Retry(ExponentialBackoff(), 0, supported_errors=(*AWAY, *_BROKEN))


def patience() -> Retry:
    """How a worker tries again: for about two minutes, at most a second apart."""
    errors = (*PASSING, redis.ResponseError)
    return _Patience(ExponentialBackoff(cap=1.0, base=0.05), PATIENT_TRIES, supported_errors=errors)


class _Patience(Retry):
    """Tries again after what passes: some of it redis-py has no class for."""

    @override
    def call_with_retry(
        self,
        do: Callable[[], _T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> _T:
        def is_passing(error: Exception) -> bool:
            return passes(error) and (is_retryable is None or is_retryable(error))

        return super().call_with_retry(do, fail, is_passing, with_failure_count)


def passes(error: Exception) -> bool:
    """Whether what Redis answers, or that it does not, passes by itself."""
    return isinstance(error, PASSING) or _UNWRITABLE.search(str(error)) is not None
