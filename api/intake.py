"""From an upload to a job: what can be refused is refused here, before it costs anything."""

import contextlib
import functools
from collections.abc import AsyncIterator
from typing import Final

import redis
import structlog
from litestar.datastructures import UploadFile
from litestar.handlers import BaseRouteHandler
from litestar.types import Receive
from msgspec import Struct

from actors.audio.length import MOST_BYTES_PER_S, expected_ms, shortest_ms
from actors.audio.sniff import HEAD_BYTES, container
from actors.callbacks import target
from actors.clock import now_ms
from actors.metrics import UPLOADED
from actors.queue.messages import deliver_callback, segment_job
from actors.queue.sender import Sender
from actors.records import Job, JobState, Lane, Options, Transcript
from actors.settings import Settings
from actors.store.following import JobFollower
from actors.store.jobs import JobStore
from actors.store.keys import CHUNK_BYTES
from api.callers import Caller, Connection, caller_of
from api.errors import HungUp, JobExpired, JobFailed, NotDone, Refused, StillRunning
from api.events import JobListener, set_within
from api.hang_up import unless_hung_up
from api.instances import InstancePool
from api.logged import request_id

#: That a job is taken in is heard; that it has expired because its API died, only a look tells.
_LOOK_AGAIN_S: Final = 1.0

#: An upload of up to so much is not asked for before it is read: reading it costs no more than asking.
_READ_AT_ONCE_BYTES: Final = 256 << 10

#: The option of handlers whose clients wait for the result.
WAITED_FOR: Final = "waited_for"

#: Room for the form around the file.
FORM_OVERHEAD_BYTES: Final = 1 << 20

log = structlog.stdlib.get_logger()


class Recognizer(Struct, frozen=True):
    """What the handlers use: it turns an upload into a job, and a job into a transcript."""

    settings: Settings
    store: JobStore
    follower: JobFollower
    sender: Sender
    listener: JobListener
    pool: InstancePool

    async def transcribe(
        self, upload: UploadFile, options: Options, caller: Caller, receive: Receive
    ) -> Transcript:
        """Run a job on the upload and wait for it; a client that hangs up cancels it.

        Raises:
            HungUp: the client has.
            Interrupted: the API stops before the job has ended.
            StillRunning: the job outlasts `ASR_REQUEST_TIMEOUT_S` without progress.
            Exception: as `submit` and `result_of`.
        """
        job_id = request_id()
        async with self.listener.watch_end(job_id) as may_have_ended:
            await self.submit(upload, options, caller, job_id=job_id, waited_for=True)
            ending = self.listener.ended(job_id, may_have_ended, self.settings.request_timeout_s)
            try:
                job, transcript = await unless_hung_up(ending, receive)
            except HungUp:
                await self.store.cancel(job_id)
                raise
        return _result(job, transcript)

    async def submit(  # noqa: PLR0913 - what a request may say
        self,
        upload: UploadFile,
        options: Options,
        caller: Caller,
        *,
        job_id: str | None = None,
        key: str | None = None,
        callback: str | None = None,
        waited_for: bool = False,
    ) -> Job:
        """Take in a job and return at once; with a key that has named a job of the caller's, that one.

        `waited_for`: whether the client waits for its result meanwhile.

        Raises:
            BadOption: the callback is no URL, or one that is not allowed.
            Refused: the upload is at fault, the model cannot do what is asked, there are no callbacks, or
                the key has named another request.
            Unavailable: no instance is alive.
            LimitReached: a limit is in the way of the upload.
            JobExpired: it took so long to enqueue the job that it is gone.
        """
        self._check_callback(callback)
        await self._check_options(options)
        size_bytes, head = await self._check_upload(upload)
        now = now_ms()
        job = Job(
            id=job_id or request_id(),
            state=JobState.QUEUED,
            options=options,
            created_ms=now,
            progress_ms=now,
            upload_bytes=size_bytes,
            caller=caller.name,
            key=_own(caller, key),
            callback=callback,
            expected_ms=min(expected_ms(head, size_bytes), self.settings.max_audio_s * 1000),
        )
        least_ms = shortest_ms(head, size_bytes)
        admit = functools.partial(self.store.admit, quota=caller.quota, waited_for=waited_for)
        while (admitted := await admit(job, _chunks(upload), least_ms)) != job.id:
            earlier = await self._taken_in(admitted)
            if earlier is not None:
                structlog.contextvars.bind_contextvars(job=earlier.id)
                return _same(earlier, job)
        structlog.contextvars.bind_contextvars(job=job.id)
        log.debug("job.admitted", bytes=job.upload_bytes, expected_ms=job.expected_ms, caller=caller.name)
        try:
            await self._enqueue(job)
        except BaseException as error:
            await self.store.abandon_after(error, job)
            raise
        UPLOADED.add(amount=job.upload_bytes)
        return job

    async def cancel(self, job_id: str) -> None:
        """End a job and drop what it holds."""
        if await self.store.cancel(job_id):
            with contextlib.suppress(redis.RedisError):  # the monitor has it done later
                await self.sender.send(deliver_callback(job_id))

    async def check_progress(self, job_id: str) -> None:
        """Give up a job that a client waits for, though not the job itself.

        Raises:
            StillRunning: it outlasts `ASR_REQUEST_TIMEOUT_S` without progress.
        """
        job = await self.store.get(job_id)
        patience_s = self.settings.request_timeout_s
        if job and not job.state.ended and now_ms() - job.progress_ms >= patience_s * 1000:
            raise StillRunning(job, patience_s)

    async def result_of(self, job_id: str) -> Transcript:
        """The transcript of the job with this id.

        Raises:
            NotDone: it has none yet, or was cancelled.
            JobFailed: it has failed, for a reason that it names.
            JobExpired: it, or its transcript, is no longer kept.
        """
        job, transcript = await self.store.with_transcript(job_id)
        if job is None:
            raise JobExpired(job_id)
        return _result(job, transcript)

    async def result(self, job: Job) -> Transcript:
        """The transcript of a job.

        Raises:
            Exception: as `result_of`.
        """
        return _result(job, await self.store.transcript(job.id) if job.state is JobState.DONE else None)

    async def _enqueue(self, job: Job) -> None:
        await self.sender.send(segment_job(job.id, Lane.SHORT))
        if not await self.store.keep(job.id):
            raise JobExpired(job.id)

    async def _taken_in(self, job_id: str) -> Job | None:
        """The job of another request, once that has taken it in; None if it could not, or its API died."""
        async with self.listener.watch(job_id) as moved:
            while standing := await self.follower.standing(job_id):
                if standing.taken_in:
                    return standing.job
                await set_within(moved, _LOOK_AGAIN_S)
                moved.clear()
        return None

    def _check_callback(self, url: str | None) -> None:
        if url is None:
            return
        if not self.settings.callback_secret:
            raise Refused(422, "callback: there are none here until the operator sets ASR_CALLBACK_SECRET")
        target.parse(url, private=self.settings.callback_private)

    async def _check_options(self, options: Options) -> None:
        able = await self.pool.capabilities()
        if options.language not in able.languages:
            known = ", ".join(able.languages)
            raise Refused(422, f"lang: {able.model} does not know {options.language!r}; it knows {known}")
        if not options.itn and not able.itn:
            raise Refused(422, f"itn: {able.model} cannot be told to leave numbers in words; leave itn out")

    async def _check_upload(self, upload: UploadFile) -> tuple[int, bytes]:
        """The size of an upload and its first bytes."""
        size_bytes = _size_bytes(upload)
        if size_bytes == 0:
            raise Refused(422, "file: the file is empty")
        self.check_size(size_bytes)
        head = await upload.read(HEAD_BYTES)
        await upload.seek(0)
        if container(head) is None:
            raise Refused(415, "file: not a recording in any supported format, such as wav, mp3, flac or m4a")
        return size_bytes, head

    def check_size(self, upload_bytes: int) -> None:
        """Refuse an upload that is too large.

        Raises:
            Refused: 413.
        """
        if upload_bytes > self.settings.max_upload_mb << 20:
            raise Refused(413, f"file: larger than ASR_MAX_UPLOAD_MB={self.settings.max_upload_mb}")


async def has_room(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let an upload of a known caller through if no limit is in its way, as far as its length is known.

    Nothing of its body has been read yet. One that was sent before, with its idempotency key, goes through,
    and a small one, which meets its limits when it is admitted.

    Raises:
        Refused: 413.
        LimitReached: 429.
    """
    recognizer: Recognizer = connection.app.state.recognizer
    length = connection.headers.get("content-length", "")
    body_bytes = int(length) if length.isdecimal() else None
    if body_bytes is not None and body_bytes <= _READ_AT_ONCE_BYTES:
        return
    size_bytes = max(0, (body_bytes or 0) - FORM_OVERHEAD_BYTES)
    recognizer.check_size(size_bytes)
    caller = caller_of(connection)
    key = _own(caller, connection.headers.get("idempotency-key"))
    least_ms = size_bytes * 1000 // MOST_BYTES_PER_S
    waited_for = bool(handler.opt.get(WAITED_FOR))
    await recognizer.store.check_room(
        caller.name, key, size_bytes, least_ms, caller.quota, waited_for=waited_for
    )


def _own(caller: Caller, key: str | None) -> str | None:
    """An idempotency key among those of all callers."""
    return f"{caller.name}:{key}" if key else None


def _result(job: Job, transcript: Transcript | None) -> Transcript:
    if job.state is JobState.FAILED:
        raise JobFailed(job.error_status or 503, job.error or "the job has failed")
    if job.state is not JobState.DONE:
        raise NotDone(job)
    if transcript is None:
        raise JobExpired(job.id)
    return transcript


def _same(earlier: Job, again: Job) -> Job:
    """The job that a key has named, if it is of the same request."""
    asked = [(job.options, job.upload_bytes, job.callback) for job in (earlier, again)]
    if asked[0] != asked[1]:
        raise Refused(422, f"Idempotency-Key: it names job {earlier.id}, of another size or other options")
    return earlier


def _size_bytes(upload: UploadFile) -> int:
    end = upload.file.seek(0, 2)
    upload.file.seek(0)
    return end


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    await upload.seek(0)  # a second try to admit a job has read of it
    while chunk := await upload.read(CHUNK_BYTES):
        yield chunk
