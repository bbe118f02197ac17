"""Waiting requests hear of their jobs, also when the connection to Redis is lost in between."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
import redis

from actors.errors import UnreadableAudio
from actors.records import JobState
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.jobs import JobStore
from actors.store.work import WorkStore
from api.events import JobListener
from api.failures import StillRunning
from tests.integration.test_store import chunks_of, new_job

#: Longer than any test may take: what is heard is heard at once.
PATIENCE_S = 60


@pytest.fixture
async def listener(config: Settings) -> AsyncIterator[JobListener]:
    """A listener that hears, and a job `j1` that runs."""
    async with prompt(config) as connected:
        store = JobStore(connected, result_ttl_s=60, spool_limit_bytes=1 << 20)
        await store.admit(new_job(3), chunks_of(b"abc"))
        listener = JobListener(connected, store)
        listening = asyncio.create_task(listener.listen())
        while (await connected.pubsub_numsub(keys.EVENTS))[0][1] == 0:  # noqa: ASYNC110, Redis has no event
            await asyncio.sleep(0.01)
        yield listener
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


@pytest.fixture
def work(client: redis.Redis) -> WorkStore:
    """The store as the workers use it."""
    return WorkStore(client, result_ttl_s=60)


async def test_the_end_wakes(listener: JobListener, work: WorkStore) -> None:
    """A request goes on as soon as its job has ended."""
    work.begin("j1")
    async with listener.watch("j1") as moved:
        waiting = asyncio.create_task(listener.ended("j1", moved, PATIENCE_S))
        await asyncio.sleep(0)
        work.fail("j1", UnreadableAudio("damaged"))

        job = await asyncio.wait_for(waiting, 5)

    assert job.state is JobState.FAILED


async def test_an_event_missed_is_looked_up(
    listener: JobListener, work: WorkStore, client: redis.Redis
) -> None:
    """The job ends while the listener's connection is gone; the request hears of it all the same."""
    work.begin("j1")
    async with listener.watch("j1") as moved:
        waiting = asyncio.create_task(listener.ended("j1", moved, PATIENCE_S))
        await asyncio.sleep(0.1)
        with client.pipeline() as pipe:  # atomic, so that nobody listens when the job ends
            pipe.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
            pipe.hset(keys.JobKeys.of("j1").job, "state", "done")
            pipe.execute()

        job = await asyncio.wait_for(waiting, 5)

    assert job.state is JobState.DONE


async def test_progress_extends_the_wait(listener: JobListener, work: WorkStore) -> None:
    """Without progress the wait ends, and the error names the job, which goes on."""
    work.begin("j1")
    began = time.monotonic()
    async with listener.watch("j1") as moved:
        with pytest.raises(StillRunning, match="j1"):
            await listener.ended("j1", moved, 1)

    assert time.monotonic() - began >= 0.9
