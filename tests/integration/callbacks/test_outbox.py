"""The callbacks that are still to be told: each end of a job is noted once, and none is forgotten."""

import pytest
import redis
from msgspec.structs import replace

from actors.courier import Courier
from actors.errors import UnreadableAudio
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import CALLBACK, deliver_callback
from actors.settings import Settings
from actors.store import keys
from actors.store.callbacks import CallbackStore, overdue
from actors.store.connection import prompt_broker
from actors.store.jobs import JobStore
from actors.store.work import WorkStore
from monitoring.monitor import remind
from tests.integration.callbacks.standing import delivering, ended, waiting
from tests.integration.queue_worker import await_that
from tests.integration.test_store import EMPTY, chunks_of, new_job
from tests.receiver import Receiver


@pytest.mark.parametrize("how", ["done", "failed", "cancelled"])
async def test_every_end_is_noted(jobs: JobStore, client: redis.Redis, how: str) -> None:
    """With the end itself, once; whoever ends a job learns that it is to be told of, and the others not."""
    told: list[str] = []
    work = WorkStore(client, 60, told.append)
    for job_id, callback in (("j1", "https://example.org"), ("j2", None)):
        await jobs.admit(replace(new_job(3, job_id), callback=callback), chunks_of(b"abc"))
        work.begin(job_id)
        for _ in range(2):
            match how:
                case "done":
                    work.complete(job_id, EMPTY)
                case "failed":
                    work.fail(job_id, UnreadableAudio("damaged"))
                case _ if await jobs.cancel(job_id):
                    told.append(job_id)
                case _:
                    pass

    assert told == ["j1"]
    assert waiting(client) == [b"j1"]


async def test_a_job_that_nobody_was_promised(jobs: JobStore, client: redis.Redis) -> None:
    """Its client was answered with an error, and is not told again."""
    job = replace(new_job(3), callback="https://example.org")
    await jobs.admit(job, chunks_of(b"abc"))

    await jobs.abandon(job)

    assert waiting(client) == []


async def test_nobody_asked_for_it(
    jobs: JobStore, client: redis.Redis, allowed: Settings, receiver: Receiver
) -> None:
    """Who ended the job died before it could: the monitor does, once, when that is overdue."""
    await ended(jobs, client, receiver.url)
    with_patience = DoorbellBroker(prompt_broker(allowed))
    with delivering(allowed, client):
        await remind(jobs.client, with_patience)
        assert receiver.received == []
        client.zadd(keys.CALLBACKS, {"j1": 1})

        await remind(jobs.client, with_patience)
        await_that(lambda: not waiting(client))

    assert len(receiver.received) == 1


async def test_no_courier_to_remind(jobs: JobStore, client: redis.Redis, allowed: Settings) -> None:
    """However long it is away, what waits for it does not become more."""
    await ended(jobs, client, "https://example.org")
    broker = DoorbellBroker(prompt_broker(allowed))
    broker.enqueue(deliver_callback("j1"))

    for _ in range(3):
        client.zadd(keys.CALLBACKS, {"j1": 1})
        await remind(jobs.client, broker)

    assert broker.waiting(CALLBACK) == 1


async def test_overdue_once(jobs: JobStore, client: redis.Redis) -> None:
    """What is asked for again is not asked for at the next look; what expired is forgotten."""
    for job_id in ("j1", "gone"):
        await ended(jobs, client, "https://example.org", job_id)
        client.zadd(keys.CALLBACKS, {job_id: 1})
    client.delete(keys.JobKeys.of("gone").job)

    assert await overdue(jobs.client) == ["j1"]
    assert await overdue(jobs.client) == []
    assert waiting(client) == [b"j1"]


async def test_a_job_that_has_expired(jobs: JobStore, client: redis.Redis, allowed: Settings) -> None:
    """Nobody is told of it any more."""
    await ended(jobs, client, "https://example.org")
    client.delete(keys.JobKeys.of("j1").job)

    Courier(allowed, CallbackStore(client)).deliver("j1")

    assert waiting(client) == []
    assert client.keys("asr:job:j1*") == [b"asr:job:j1:transcript"]
