"""From an upload to a job: what can be refused is refused here, before it costs anything."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

from litestar.datastructures import UploadFile
from msgspec import Struct

from actors.audio.sniff import HEAD_BYTES, container
from actors.clock import now_ms
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import segment_job
from actors.records import Job, JobState, Lane, Options, Transcript
from actors.settings import Settings
from actors.store.jobs import JobStore
from actors.store.keys import CHUNK_BYTES
from api.events import JobListener
from api.failures import JobExpired, JobFailed, Refused
from api.instances import InstancePool


class Recognizer(Struct, frozen=True):
    """What the handlers use: it turns an upload into a transcript."""

    settings: Settings
    store: JobStore
    broker: DoorbellBroker
    listener: JobListener
    pool: InstancePool

    async def transcribe(self, upload: UploadFile, options: Options) -> Transcript:
        """Run a job on the upload and wait for it.

        Raises:
            Refused: the upload is at fault, or the model cannot do what is asked.
            Unavailable: no instance is alive.
            SpoolFull: no room for the upload.
            JobFailed: the job has failed, for a reason that it names.
            JobExpired: the result was gone before it could be read.
            StillRunning: the job outlasts `ASR_REQUEST_TIMEOUT_S` without progress.
        """
        await self._check_options(options)
        size_bytes = await self._check_upload(upload)
        job = _new_job(options, size_bytes)
        async with self.listener.watch(job.id) as moved:
            await self._submit(job, upload)
            ended = await self.listener.ended(job.id, moved, self.settings.request_timeout_s)
        if ended.state is not JobState.DONE:
            raise JobFailed(ended.error_status or 503, ended.error or f"the job was {ended.state}")
        transcript = await self.store.transcript(job.id)
        if transcript is None:
            raise JobExpired(job.id)
        return transcript

    async def _submit(self, job: Job, upload: UploadFile) -> None:
        await self.store.admit(job, _chunks(upload))
        try:
            await asyncio.to_thread(self.broker.enqueue, segment_job(job.id, Lane.SHORT))
            await self.store.keep(job.id)
        except BaseException:
            await self.store.abandon(job.id)
            raise

    async def _check_options(self, options: Options) -> None:
        able = await self.pool.capabilities()
        if options.language not in able.languages:
            known = ", ".join(able.languages)
            raise Refused(422, f"lang: {able.model} does not know {options.language!r}; it knows {known}")
        if not options.itn and not able.itn:
            raise Refused(422, f"itn: {able.model} cannot be told to leave numbers in words; leave itn out")

    async def _check_upload(self, upload: UploadFile) -> int:
        size_bytes = _size_bytes(upload)
        if size_bytes == 0:
            raise Refused(422, "file: the file is empty")
        if size_bytes > self.settings.max_upload_mb << 20:
            raise Refused(413, f"file: larger than ASR_MAX_UPLOAD_MB={self.settings.max_upload_mb}")
        head = await upload.read(HEAD_BYTES)
        await upload.seek(0)
        if container(head) is None:
            raise Refused(415, "file: not a recording in any supported format, such as wav, mp3, flac or m4a")
        return size_bytes


def _new_job(options: Options, upload_bytes: int) -> Job:
    now = now_ms()
    return Job(
        id=uuid4().hex,
        state=JobState.QUEUED,
        options=options,
        created_ms=now,
        progress_ms=now,
        upload_bytes=upload_bytes,
    )


def _size_bytes(upload: UploadFile) -> int:
    end = upload.file.seek(0, 2)
    upload.file.seek(0)
    return end


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await upload.read(CHUNK_BYTES):
        yield chunk
