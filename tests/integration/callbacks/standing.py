"""A job that has ended, a courier at work, and how the callback stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import redis
from msgspec.structs import replace

from actors.courier import Courier, actor
from actors.queue.broker import DoorbellBroker
from actors.queue.delivery_limit import DeliveryLimit
from actors.queue.messages import CALLBACK
from actors.queue.slots import Slots
from actors.records import Job
from actors.settings import Settings
from actors.store import keys
from actors.store.callbacks import CallbackStore
from actors.store.connection import patient
from actors.store.jobs import JobStore
from actors.store.work import WorkStore
from actors.worker import create_broker
from tests.integration.queue_worker import serving
from tests.integration.test_store import EMPTY, chunks_of, new_job

#: Two further tries, at once.
PAUSES_S = (0.01, 0.01)


@contextmanager
def delivering(
    config: Settings,
    client: redis.Redis,
    *,
    pauses_s: tuple[float, ...] = PAUSES_S,
    store: CallbackStore | None = None,
    threads: int = 2,
) -> Iterator[DoorbellBroker]:
    """A courier at work, as its process runs it."""
    deliveries = DeliveryLimit(patient(config))
    broker = create_broker(config, Slots(threads), deliveries)
    actor(Courier(config, store or CallbackStore(client), pauses_s=pauses_s), broker)
    with serving(broker, CALLBACK, deliveries):
        yield broker


async def ended(jobs: JobStore, client: redis.Redis, callback: str | None, job_id: str = "j1") -> None:
    """A job with a callback, done."""
    await jobs.admit(replace(new_job(3, job_id), callback=callback), chunks_of(b"abc"))
    work = WorkStore(client, 60)
    work.begin(job_id)
    work.complete(job_id, EMPTY)


async def standing(jobs: JobStore, job_id: str = "j1") -> Job:
    """The record of a job."""
    job = await jobs.get(job_id)
    assert job is not None
    return job


def waiting(client: redis.Redis) -> list[bytes]:
    """The jobs that are to be told of."""
    return cast("list[bytes]", client.zrange(keys.CALLBACKS, 0, -1))
