"""One listener per API process hears every job's events and wakes the requests that wait for it."""

import asyncio
import contextlib
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import redis.asyncio
import structlog

from actors.clock import now_ms
from actors.records import Job, JobEvent
from actors.store import keys
from actors.store.jobs import JobStore
from api.contact import Contact
from api.errors import Interrupted, JobExpired, StillRunning

#: Pause before the listener connects again after it has lost Redis.
_RECONNECT_S = 0.5

#: Once told to stop, this long is waited for jobs: less than the API's grace, so that answers get out.
STOP_PATIENCE_S = 15.0

log = structlog.stdlib.get_logger()
_events = msgspec.json.Decoder(JobEvent)


class JobListener:
    """Wakes waiting requests; run `listen` as a task."""

    def __init__(self, client: redis.asyncio.Redis, store: JobStore) -> None:
        self._client = client
        self._store = store
        self._contact = Contact("jobs")
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        #: Whether the process is about to stop, so that streams are to end.
        self.closed = False
        #: When requests give up waiting, on the monotonic clock.
        self._closes_at_s = math.inf

    async def listen(self) -> None:
        """Hear events for ever; what may have been missed while Redis was away, each waiter looks up."""
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(keys.EVENTS)
                    async for message in channel.listen():
                        self._hear(message)
            except Exception as error:  # noqa: BLE001 - whatever it is, requests depend on being woken
                self._contact.lost(error)
                await asyncio.sleep(_RECONNECT_S)

    def close(self) -> None:
        """Wake everyone, so that streams end; who waits for a job may go on for `STOP_PATIENCE_S`."""
        self.closed = True
        self._closes_at_s = time.monotonic() + STOP_PATIENCE_S
        self._wake_all()

    @contextlib.asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever the job moves, and at first: it may have moved before."""
        moved = asyncio.Event()
        moved.set()
        self._waiting[job_id].add(moved)
        try:
            yield moved
        finally:
            self._waiting[job_id].discard(moved)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def ended(self, job_id: str, moved: asyncio.Event, patience_s: int) -> Job:
        """Wait until a watched job has ended.

        Raises:
            StillRunning: it made no progress for `patience_s`.
            Interrupted: this process stops.
            JobExpired: it is gone.
        """
        while True:
            left_s = max(0.0, self._closes_at_s - time.monotonic())
            timed_out = not await set_within(moved, min(patience_s, left_s))
            moved.clear()
            job = await self._look_up(job_id, patience_s)
            if job.state.ended:
                return job
            if time.monotonic() >= self._closes_at_s:
                raise Interrupted(job)
            if timed_out and now_ms() - job.progress_ms >= patience_s * 1000:
                raise StillRunning(job, patience_s)

    async def _look_up(self, job_id: str, patience_s: int) -> Job:
        """The job's record; a Redis that is away for less than `patience_s` costs no accepted request."""
        give_up_at = time.monotonic() + patience_s
        while True:
            try:
                job = await self._store.get(job_id)
            except redis.RedisError:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_RECONNECT_S)
                continue
            if job is None:
                raise JobExpired(job_id)
            return job

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            try:
                self._wake(_events.decode(message["data"]).job)
            except msgspec.DecodeError as error:  # not one of ours
                log.warning("listener.unknown_event", reason=str(error))
        else:  # subscribed, at first or after the connection was lost: events may have been missed
            self._contact.made()
            self._wake_all()

    def _wake(self, job_id: str) -> None:
        for moved in self._waiting.get(job_id, ()):
            moved.set()

    def _wake_all(self) -> None:
        for job_id in list(self._waiting):
            self._wake(job_id)


async def set_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event, but not for ever; whether it is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), timeout_s)
    return event.is_set()
