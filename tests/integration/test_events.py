"""Waiting requests hear of their jobs, also when the connection to Redis is lost in between."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import redis
from litestar.response import ServerSentEventMessage

from actors.errors import UnreadableAudio
from actors.records import JobState, Segment
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.following import JobFollower
from actors.store.jobs import JobStore
from actors.store.work import WorkStore
from api.cancellation import end
from api.errors import StillRunning
from api.events import JobListener
from api.job_events import JobStream, Place
from tests.integration.test_store import HEARD, LIMITS, SAMPLES, chunks_of, new_job

#: Longer than any test may take: what is heard is heard at once.
PATIENCE_S = 60


@pytest.fixture
async def listener(config: Settings) -> AsyncIterator[JobListener]:
    """A listener that hears, and a job `j1` that runs."""
    async with prompt(config) as connected:
        store = JobStore(connected, result_ttl_s=60, limits=LIMITS)
        await store.admit(new_job(3), chunks_of(b"abc"))
        listener = JobListener(connected, store)
        async with listener.watch_end("j1") as subscribed:  # whoever waits is woken when it hears again
            listening = asyncio.create_task(listener.listen())
            await asyncio.wait_for(subscribed.wait(), PATIENCE_S)
        yield listener
        await end(listening)


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

        job, _ = await asyncio.wait_for(waiting, PATIENCE_S)

    assert job.state is JobState.FAILED


async def test_progress_wakes_nobody_who_waits_for_the_end(listener: JobListener, work: WorkStore) -> None:
    """Only who follows a job hears of each step; an answer waits for one event, not for five."""
    async with listener.watch("j1") as moved, listener.watch_end("j1") as may_have_ended:
        moved.clear()
        work.begin("j1")
        await asyncio.wait_for(moved.wait(), PATIENCE_S)
        assert not may_have_ended.is_set()
        work.fail("j1", UnreadableAudio("damaged"))
        await asyncio.wait_for(may_have_ended.wait(), PATIENCE_S)


async def test_an_end_missed_by_a_watch_is_looked_up(
    listener: JobListener, work: WorkStore, client: redis.Redis
) -> None:
    """Whoever hears of nothing but ends is woken when the listener's connection is back."""
    work.begin("j1")
    async with listener.watch_end("j1") as may_have_ended:
        waiting = asyncio.create_task(listener.ended("j1", may_have_ended, PATIENCE_S))
        await asyncio.sleep(0.1)
        with client.pipeline() as pipe:
            pipe.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
            pipe.hset(keys.JobKeys.of("j1").job, "state", "done")
            pipe.execute()

        job, transcript = await asyncio.wait_for(waiting, PATIENCE_S)

    assert (job.state, transcript) == (JobState.DONE, None)


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

        job, _ = await asyncio.wait_for(waiting, PATIENCE_S)

    assert job.state is JobState.DONE


async def test_progress_extends_the_wait(listener: JobListener, work: WorkStore) -> None:
    """Without progress the wait ends, and the error names the job, which goes on."""
    work.begin("j1")
    began = time.monotonic()
    async with listener.watch("j1") as moved:
        with pytest.raises(StillRunning, match="j1"):
            await listener.ended("j1", moved, 1)

    assert time.monotonic() - began >= 0.9


@pytest.fixture
def stream(listener: JobListener) -> JobStream:
    """The stream of events."""
    return JobStream(listener._store, JobFollower(listener._client), listener)


async def told(events: AsyncIterator[ServerSentEventMessage]) -> ServerSentEventMessage:
    """The next event, which comes soon."""
    return await asyncio.wait_for(anext(events), PATIENCE_S)


async def test_a_stream_waits_for_the_segment_in_the_middle(stream: JobStream, work: WorkStore) -> None:
    """What is finished behind it comes with it; the id of each event leads on behind it."""
    work.begin("j1")
    for index in range(3):
        work.add_segment("j1", Segment(index, index * 100, index * 100 + 100), SAMPLES)
    events = stream.events("j1", Place())
    assert (await told(events)).event == "state"
    for index in (2, 1):
        work.finish_segment("j1", index, heard=HEARD)
    waiting = asyncio.ensure_future(told(events))
    await asyncio.sleep(0.2)
    assert not waiting.done()

    work.finish_segment("j1", 0, "broken")

    heard = [await waiting, await told(events), await told(events)]
    assert [event.id for event in heard] == ["running-1", "running-2", "running-3"]
    assert '"error":"broken"' in str(heard[0].data)
    assert (await told(stream.events("j1", Place.of("running-2")))).id == "running-3"


async def test_a_stream_outlives_a_lost_connection(
    stream: JobStream, work: WorkStore, client: redis.Redis
) -> None:
    """The end is missed, and looked up as soon as Redis is back."""
    work.begin("j1")
    events = stream.events("j1", Place())
    assert (await told(events)).event == "state"
    waiting = asyncio.ensure_future(told(events))
    await asyncio.sleep(0.1)
    with client.pipeline() as pipe:
        pipe.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
        pipe.hset(keys.JobKeys.of("j1").job, "state", "failed")
        pipe.execute()

    assert [(await waiting).id, (await told(events)).id] == ["failed-0", "end"]
    with pytest.raises(StopAsyncIteration):
        await told(events)


async def test_a_silent_stream_beats(
    stream: JobStream, work: WorkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment, which clients ignore, says that the connection lives; a job that is gone ends it."""
    monkeypatch.setattr("api.job_events.HEARTBEAT_S", 0.1)
    work.begin("j1")
    events = stream.events("j1", Place())
    await told(events)

    beat = await told(events)

    assert beat.encode() == b": still here\r\n\r\n"
    work.client.delete(keys.JobKeys.of("j1").job)
    with pytest.raises(StopAsyncIteration):
        await told(events)
