"""The store as the API uses it: it takes uploads in, follows jobs, and hands results out."""

from collections.abc import AsyncIterator
from typing import cast

import anyio
import msgspec
import redis.asyncio
import structlog

from actors.clock import now_ms
from actors.records import Job, JobState, Transcript
from actors.store import keys, scripts
from actors.store.connection import AWAY
from actors.store.ending import TO_BE_TOLD, Ending
from actors.store.hashes import decode_job, encode_job
from actors.store.keys import JobKeys
from actors.store.limits import NO_QUOTA, Limit, LimitReached, Limits, Quota

#: Jobs of the index that one sweep looks at, oldest first: Redis serves nobody else meanwhile.
_SWEPT_AT_ONCE = 10_000

#: What a job holds that cannot be abandoned within this time because Redis is away vanishes by itself.
_AWAY_PATIENCE_S = 0.1

#: Where Redis has replicas, a job counts as taken in when one of them has it too, or after this time.
_COPY_PATIENCE_MS = 300

log = structlog.stdlib.get_logger()
_transcripts = msgspec.json.Decoder(Transcript)


class JobStore:
    """Asynchronous; one per API process. `copied`: whether Redis has replicas, one of which may take over."""

    def __init__(
        self, client: redis.asyncio.Redis, *, result_ttl_s: int, limits: Limits, copied: bool = False
    ) -> None:
        self.client = client
        self._copied = copied
        self._result_ttl_s = result_ttl_s
        self._limits = limits
        self._may_admit = client.register_script(scripts.MAY_ADMIT)
        self._admit = client.register_script(scripts.ADMIT)
        self._add_chunk = client.register_script(scripts.ADD_CHUNK)
        self._keep = client.register_script(scripts.KEEP)
        self._abandon = client.register_script(scripts.ABANDON)
        self._end_job = client.register_script(scripts.END_JOB)

    async def check_room(  # noqa: PLR0913 - what is known of an upload
        self,
        caller: str,
        key: str | None,
        upload_bytes: int,
        shortest_ms: int,
        quota: Quota = NO_QUOTA,
        *,
        waited_for: bool = False,
    ) -> None:
        """Refuse early what could not be admitted: a recording that is no shorter than `shortest_ms`.

        `waited_for`: whether somebody waits for its answer.

        Raises:
            LimitReached: a limit is in the way.
        """
        limits = self._limits.within(quota, waited_for=waited_for)
        _check(
            await self._may_admit(keys=limits.keys(caller, key), args=limits.args(upload_bytes, shortest_ms))
        )

    async def admit(
        self,
        job: Job,
        upload: AsyncIterator[bytes],
        shortest_ms: int = 0,
        quota: Quota = NO_QUOTA,
        *,
        waited_for: bool = False,
    ) -> str:
        """Take in a new job and its upload, which comes in chunks of at most `CHUNK_BYTES`.

        The recording is no shorter than `shortest_ms`, which decides what it would have to wait for;
        `waited_for`: whether somebody waits for its answer.

        Until it is kept it vanishes after `ADMISSION_TTL_S`: nobody was promised anything yet.

        Returns:
            The job's id, or that of an earlier job with the same key, and then nothing is taken in.

        Raises:
            LimitReached: a limit is in the way of the upload.
        """
        try:
            # With the record, so that most uploads take a single round trip.
            first = await anext(upload, b"")
            limits = self._limits.within(quota, waited_for=waited_for)
            admitted = await self._admit_record(job, limits, shortest_ms, first)
            if admitted == job.id:
                await self._store_rest(job.id, upload)
        except LimitReached:
            raise
        except BaseException as error:
            await self.abandon_after(error, job)
            raise
        return admitted

    async def _admit_record(self, job: Job, limits: Limits, shortest_ms: int, first_chunk: bytes) -> str:
        place: list[str | int | bytes] = [
            job.id,
            keys.ADMISSION_TTL_S,
            job.created_ms,
            job.caller,
            keys.NAMED_TTL_S,
            first_chunk,
        ]
        fields = [part for pair in encode_job(job).items() for part in pair]
        of = JobKeys.of(job.id)
        own = [of.job, keys.JOBS, keys.jobs_of(job.caller), of.upload]
        return _check(
            await self._admit(
                keys=[*limits.keys(job.caller, job.key), *own],
                args=[*limits.args(job.upload_bytes, shortest_ms), *place, *fields],
            )
        )

    async def _store_rest(self, job_id: str, upload: AsyncIterator[bytes]) -> None:
        of = JobKeys.of(job_id)
        number = 1
        async for chunk in upload:
            args: list[int | bytes] = [number, chunk, keys.ADMISSION_TTL_S]
            if not await self._add_chunk(keys=[of.job, of.upload], args=args):
                return  # cancelled meanwhile
            number += 1

    async def keep(self, job_id: str) -> bool:
        """Keep a job that has been enqueued until its result expires; false when it is gone already."""
        of = JobKeys.of(job_id)
        args: list[str | int] = [job_id, now_ms(), self._result_ttl_s, keys.EVENTS]
        kept = bool(await self._keep(keys=[of.job, of.upload, keys.QUEUED], args=args))
        if kept and self._copied:
            await self._await_copy(of.job)
        return kept

    async def _await_copy(self, key: str) -> None:
        """Wait until a replica has all that was written before; none may be connected, which is no error."""
        async with self.client.pipeline(transaction=False) as pipe:
            pipe.expire(key, self._result_ttl_s)  # what `WAIT` waits for is the last change of its connection
            pipe.wait(1, _COPY_PATIENCE_MS)
            await pipe.execute()

    async def abandon_after(self, error: BaseException, job: Job) -> None:
        """Abandon a job because of an error; no answer waits long for a Redis that is away to do so."""
        # Litestar cancels by a scope, in which every further wait would be cancelled too.
        with anyio.move_on_after(_AWAY_PATIENCE_S if isinstance(error, AWAY) else None, shield=True):
            await self.abandon(job)

    async def abandon(self, job: Job) -> None:
        """Forget a job that could not be taken in or enqueued, and free what it holds."""
        of = msgspec.structs.astuple(JobKeys.of(job.id))
        shared = [keys.SPOOL, keys.BACKLOG_SHORT, keys.BACKLOG_LONG, keys.RUNNING, keys.QUEUED, keys.JOBS]
        own = [keys.jobs_of(job.caller), keys.active(job.caller), keys.named(job.key)]
        args = [job.id, keys.results(job.id), keys.EVENTS, job.caller]
        await self._abandon(keys=[*of, *shared, *own], args=args)

    async def cancel(self, job_id: str) -> bool:
        """End a job and keep nothing but its record; one that has ended loses its transcript.

        Returns:
            Whether a callback is to be delivered.
        """
        ending = Ending(job_id, JobState.CANCELLED)
        ended: int = await self._end_job(keys=ending.keys, args=ending.args(self._result_ttl_s))
        if ended:
            log.info("job.ended", job=job_id, state=JobState.CANCELLED)
        else:
            await self.client.unlink(JobKeys.of(job_id).transcript)
        return ended == TO_BE_TOLD

    async def get(self, job_id: str) -> Job | None:
        """The job's record; None when there is none (any more)."""
        return decode_job(await self.client.hgetall(JobKeys.of(job_id).job))

    async def with_transcript(self, job_id: str) -> tuple[Job | None, Transcript | None]:
        """The job's record and its result, as `get` and `transcript` have them, of the same moment."""
        of = JobKeys.of(job_id)
        async with self.client.pipeline() as pipe:
            pipe.hgetall(of.job)
            pipe.get(of.transcript)
            fields, text = cast("tuple[dict[bytes, bytes], bytes | None]", await pipe.execute())
        return decode_job(fields), None if text is None else _transcripts.decode(text)

    async def running(self, most: int) -> list[Job]:
        """The jobs that have been running longest."""
        ids = cast("list[bytes]", await self.client.zrange(keys.RUNNING, 0, most - 1))
        async with self.client.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hgetall(JobKeys.of(job_id.decode()).job)
            jobs = [decode_job(fields) for fields in await pipe.execute()]
        return [job for job in jobs if job is not None]

    async def transcript(self, job_id: str) -> Transcript | None:
        """The result of a job that is done; None before, and once it has expired."""
        text = await self.client.get(JobKeys.of(job_id).transcript)
        return None if text is None else _transcripts.decode(text)


async def sweep(client: redis.asyncio.Redis) -> int:
    """Forget jobs whose keys have expired, and free their place on the spool; the bytes freed."""
    expired = client.register_script(scripts.SWEEP)
    shared = [keys.SPOOL, keys.BACKLOG_SHORT, keys.BACKLOG_LONG, keys.RUNNING, keys.QUEUED, keys.JOBS]
    prefixes = [keys.JOB_PREFIX, keys.JOBS_PREFIX, keys.ACTIVE_PREFIX]
    freed: int = await expired(keys=shared, args=[*prefixes, _SWEPT_AT_ONCE])
    return freed


def _check(answer: tuple[bytes, bytes | int]) -> str:
    """What a script answers that nothing is in the way of.

    Raises:
        LimitReached: it has found a limit in the way.
    """
    limit, value = answer
    if limit:
        raise LimitReached(Limit(limit.decode()), int(value))
    return value.decode() if isinstance(value, bytes) else ""
