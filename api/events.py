"""One listener per API process hears every job's events and wakes the requests that wait for it."""

import asyncio
import contextlib
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import redis.asyncio
import structlog
from redis.asyncio.client import PubSub

from actors.clock import now_ms
from actors.records import Job, JobEvent, Transcript
from actors.store import keys
from actors.store.jobs import JobStore
from api.contact import Contact
from api.errors import Interrupted, JobExpired, StillRunning

#: Pause before the listener connects again after it has lost Redis.
_RECONNECT_S = 0.5

#: A Redis that has said nothing for so long is asked whether it lives, and given as long to answer: one whose
#: machine is gone closes no connection.
_SILENT_S = 5.0

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
        #: Who waits for which job, and whether its end alone wakes them.
        self._waiting: dict[str, dict[asyncio.Event, bool]] = defaultdict(dict)
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
                    while True:
                        self._hear(await _next(channel))
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
        with self._watching(job_id, ends=False) as moved:
            moved.set()
            yield moved

    @contextlib.asynccontextmanager
    async def watch_end(self, job_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set when a job may have ended that nobody works on yet; progress leaves it be."""
        with self._watching(job_id, ends=True) as ended:
            yield ended

    @contextlib.contextmanager
    def _watching(self, job_id: str, *, ends: bool) -> Iterator[asyncio.Event]:
        moved = asyncio.Event()
        self._waiting[job_id][moved] = ends
        try:
            yield moved
        finally:
            self._waiting[job_id].pop(moved)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def ended(
        self, job_id: str, moved: asyncio.Event, patience_s: int
    ) -> tuple[Job, Transcript | None]:
        """Wait until a watched job has ended; its transcript, where it has one.

        Raises:
            StillRunning: it made no progress for `patience_s`.
            Interrupted: this process stops.
            JobExpired: it is gone.
        """
        wait_s = float(patience_s)
        while True:
            left_s = max(0.0, self._closes_at_s - time.monotonic())
            timed_out = not await set_within(moved, min(wait_s, left_s))
            moved.clear()
            job, transcript = await self._look_up(job_id, patience_s)
            if job.state.ended:
                return job, transcript
            if time.monotonic() >= self._closes_at_s:
                raise Interrupted(job)
            wait_s = patience_s - (now_ms() - job.progress_ms) / 1000
            if timed_out and wait_s <= 0:
                raise StillRunning(job, patience_s)

    async def _look_up(self, job_id: str, patience_s: int) -> tuple[Job, Transcript | None]:
        """A job and its transcript; a Redis that is away for less than `patience_s` costs no request."""
        give_up_at = time.monotonic() + patience_s
        while True:
            try:
                job, transcript = await self._store.with_transcript(job_id)
            except redis.RedisError:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_RECONNECT_S)
                continue
            if job is None:
                raise JobExpired(job_id)
            return job, transcript

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            try:
                event = _events.decode(message["data"])
                self._wake(event.job, ended=event.state.ended)
            except msgspec.DecodeError as error:  # not one of ours
                log.warning("listener.unknown_event", reason=str(error))
        elif message["type"] == "subscribe":  # at first, or anew: events may have been missed meanwhile
            self._contact.made()
            self._wake_all()

    def _wake(self, job_id: str, *, ended: bool) -> None:
        for moved, ends in self._waiting.get(job_id, {}).items():
            if ended or not ends:
                moved.set()

    def _wake_all(self) -> None:
        for job_id in list(self._waiting):
            self._wake(job_id, ended=True)


async def _next(channel: PubSub) -> dict[str, Any]:
    """The next message of a channel.

    Raises:
        redis.TimeoutError: Redis does not answer.
    """
    message: dict[str, Any] | None = await channel.get_message(timeout=_SILENT_S)
    if message is None:
        await channel.ping()
        message = await channel.get_message(timeout=_SILENT_S)
    if message is None:
        raise redis.TimeoutError(f"Redis has not answered for {_SILENT_S:.0f} s")
    return message


async def set_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event, but not for ever; whether it is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), timeout_s)
    return event.is_set()
