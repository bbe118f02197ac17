"""The store as the API uses it: it takes uploads in, follows jobs, and hands results out."""

from collections.abc import AsyncIterator
from typing import cast

import msgspec
import redis.asyncio

from actors.clock import now_ms
from actors.records import Job, JobState, Transcript
from actors.store import keys, scripts
from actors.store.hashes import decode_job, encode_job
from actors.store.keys import JobKeys

_transcripts = msgspec.json.Decoder(Transcript)


class SpoolFull(Exception):
    """Redis keeps as much audio as `ASR_MAX_SPOOL_MB` allows; there is room again once jobs end."""


class JobStore:
    """Asynchronous; one per API process."""

    def __init__(self, client: redis.asyncio.Redis, *, result_ttl_s: int, spool_limit_bytes: int) -> None:
        self.client = client
        self._result_ttl_s = result_ttl_s
        self._spool_limit_bytes = spool_limit_bytes
        self._admit = client.register_script(scripts.ADMIT)
        self._end_job = client.register_script(scripts.END_JOB)

    async def admit(self, job: Job, upload: AsyncIterator[bytes]) -> None:
        """Take in a new job and its upload, which comes in chunks of at most `CHUNK_BYTES`.

        Until it is kept it vanishes after `ADMISSION_TTL_S`: nobody was promised anything yet.

        Raises:
            SpoolFull: there is no room for the upload.
        """
        of = JobKeys.of(job.id)
        fields = [part for pair in encode_job(job).items() for part in pair]
        admitted = await self._admit(
            keys=[of.job, keys.SPOOL],
            args=[job.id, job.upload_bytes, self._spool_limit_bytes, keys.ADMISSION_TTL_S, *fields],
        )
        if not admitted:
            raise SpoolFull
        try:
            await self._store(of.upload, upload)
        except BaseException:
            await self.abandon(job.id)
            raise

    async def _store(self, key: str, upload: AsyncIterator[bytes]) -> None:
        number = 0
        async for chunk in upload:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.hset(key, str(number), cast("str", chunk))
                pipe.expire(key, keys.ADMISSION_TTL_S)
                await pipe.execute()
            number += 1

    async def keep(self, job_id: str) -> None:
        """Keep a job that has been enqueued until its result expires."""
        of = JobKeys.of(job_id)
        async with self.client.pipeline(transaction=False) as pipe:
            pipe.expire(of.job, self._result_ttl_s)
            pipe.expire(of.upload, self._result_ttl_s)
            await pipe.execute()

    async def abandon(self, job_id: str) -> None:
        """Cancel a job that could not be enqueued, and free what it holds."""
        await self._end_job(
            keys=[*msgspec.structs.astuple(JobKeys.of(job_id)), keys.SPOOL, keys.RUNNING, keys.STATS],
            args=[job_id, JobState.CANCELLED.value, "", 0, "", now_ms(), self._result_ttl_s, keys.EVENTS],
        )

    async def get(self, job_id: str) -> Job | None:
        """The job's record; None when there is none (any more)."""
        return decode_job(await self.client.hgetall(JobKeys.of(job_id).job))

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
    freed: int = await expired(keys=[keys.SPOOL, keys.RUNNING], args=[keys.JOB_PREFIX])
    return freed
