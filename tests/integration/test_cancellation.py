"""A task that talks to Redis ends when it is told to, wherever it is just then."""

import asyncio

import pytest

from actors.settings import Settings
from actors.store.connection import prompt
from actors.store.jobs import JobStore
from api.cancellation import end
from api.events import JobListener
from tests.integration.test_store import LIMITS


@pytest.mark.parametrize("turns", range(12))
async def test_a_listener_ends_at_any_turn(config: Settings, turns: int) -> None:
    """At some of its first turns it is in the middle of sending, and one cancellation would not do."""
    async with prompt(config) as connected:
        await connected.ping()  # so that there is a connection, as when the API runs
        listening = asyncio.create_task(
            JobListener(connected, JobStore(connected, result_ttl_s=60, limits=LIMITS)).listen()
        )
        for _ in range(turns):
            await asyncio.sleep(0)

        await asyncio.wait_for(end(listening), 60)

    assert listening.cancelled()
