"""Connections to the master of a Redis with replicas, which its Sentinels name: again after each failover."""

import asyncio
import threading
from typing import Any, Final

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry
from typing_extensions import override

from actors.store.sentinel_url import Address, parse

#: A Sentinel that does not answer within this time is passed over for the next one, which comes first from
#: then on: less than a client of the API waits for its 503.
ASK_TIMEOUT_S: Final = 0.3


def sentinels(address: Address) -> redis.sentinel.Sentinel:
    """The Sentinels of an address."""
    return _Sentinels(
        address.hosts,
        sentinel_kwargs={
            "socket_connect_timeout": ASK_TIMEOUT_S,
            "socket_timeout": ASK_TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),  # the next one is asked instead
            **address.sentinel_options,
        },
    )


def master(url: str, **options: Any) -> redis.Redis:
    """A client of the master, whichever that is."""
    address = parse(url)
    client: redis.Redis = sentinels(address).master_for(
        address.master,
        connection_class=_TlsConnection if "ssl" in address.options else _Connection,
        **options | address.options,
    )
    return client


def prompt_master(url: str, **options: Any) -> redis.asyncio.Redis:
    """The same for an event loop; its connections are those of a `BlockingConnectionPool`."""
    address = parse(url)
    asked = _PromptSentinels(
        address.hosts,
        sentinel_kwargs={
            "socket_connect_timeout": ASK_TIMEOUT_S,
            "socket_timeout": ASK_TIMEOUT_S,
            "retry": redis.asyncio.retry.Retry(NoBackoff(), 0),
            **address.sentinel_options,
        },
    )
    client: redis.asyncio.Redis = asked.master_for(
        address.master,
        connection_pool_class=_BlockingPool,
        connection_class=_PromptTlsConnection if "ssl" in address.options else _PromptConnection,
        **options | address.options,
    )
    return client


class _Sentinels(redis.sentinel.Sentinel):
    """Asked by one thread at a time: while it asks, redis-py changes their order, and may lose one.

    No connection to them is kept, for they are seldom asked.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lock = threading.Lock()

    @override
    def discover_master(self, service_name: str) -> tuple[str, int]:
        with self._lock:
            try:
                found: tuple[str, int] = super().discover_master(service_name)
            finally:
                self.close()
            return found


class _PromptSentinels(redis.asyncio.sentinel.Sentinel):
    """Asked once for all who want to know at the same time, lest each wait for those before it."""

    _asking: asyncio.Future[tuple[str, int]] | None = None

    @override
    async def discover_master(self, service_name: str) -> tuple[str, int]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask(service_name))
        return await asyncio.shield(self._asking)

    async def _ask(self, service_name: str) -> tuple[str, int]:
        try:
            found: tuple[str, int] = await super().discover_master(service_name)
        finally:
            await self.aclose()
        return found


class _Connection(redis.sentinel.SentinelManagedConnection):
    """Asks for the master whenever it connects; redis-py does not where it repairs a connection in use."""

    @override
    def _connect_retry(self) -> None:
        if not self._sock:
            self.connect_check_health(retry_socket_connect=False)

    @override
    def _connect(self) -> Any:
        self.host, self.port = self.connection_pool.get_master_address()
        return super()._connect()


class _TlsConnection(_Connection, redis.SSLConnection):
    """The same with TLS."""


class _PromptConnection(redis.asyncio.sentinel.SentinelManagedConnection):
    """The same for an event loop."""

    @override
    async def _connect_retry(self) -> None:
        if not self._reader:
            await self.connect_check_health(retry_socket_connect=False)

    @override
    async def _connect(self) -> None:
        self.host, self.port = await self.connection_pool.get_master_address()
        await super()._connect()


class _PromptTlsConnection(_PromptConnection, redis.asyncio.SSLConnection):
    """The same with TLS."""


class _BlockingPool(redis.asyncio.sentinel.SentinelConnectionPool, redis.asyncio.BlockingConnectionPool):
    """Who finds no connection free waits for one, as without Sentinels."""
