"""The store as the workers use it: they take jobs, cut them, and finish their segments."""

from collections.abc import Callable
from typing import cast

import msgspec
import numpy as np
import redis
from msgspec import Struct
from numpy.typing import NDArray
from redis.client import Pipeline

from actors import results
from actors.clock import now_ms
from actors.errors import JobError
from actors.records import Job, JobState, Options, Segment, Transcript, Utterance
from actors.store import keys, scripts
from actors.store.cut_job import CutJob
from actors.store.ending import TO_BE_TOLD, Ending
from actors.store.hashes import decode_job, pairs
from actors.store.keys import JobKeys

_BACKLOG = (keys.BACKLOG_SHORT, keys.BACKLOG_LONG)

_transcripts = msgspec.json.Encoder()
_options = msgspec.json.Decoder(Options)


class WaitingSegment(Struct, frozen=True):
    """A segment to be recognised: int16 [samples] at `SAMPLE_RATE_HZ`, and what the client asked for."""

    samples: NDArray[np.int16]
    options: Options


class Begun(Struct, frozen=True):
    """A job to be cut, and the first chunk of its upload, if that is still kept: most have no other."""

    job: Job
    #: The process of Redis that has answered.
    server: str
    head: bytes | None


class CutAgain(Exception):
    """Redis was replaced while a job was cut, and may lack some of its segments."""


class WorkStore:
    """Every step may run twice, and then changes nothing the second time.

    `tell` is given the id of each job that ends here and has a callback; what it cannot do now, the
    monitor has done later.
    """

    def __init__(
        self, client: redis.Redis, result_ttl_s: int, tell: Callable[[str], object] = lambda _: None
    ) -> None:
        self.client = client
        self._tell = tell
        self._ttl_s = result_ttl_s
        self._begin = client.register_script(scripts.BEGIN)
        self._progress = client.register_script(scripts.PROGRESS)
        self._add_segment = client.register_script(scripts.ADD_SEGMENT)
        self._close_cut = client.register_script(scripts.CLOSE_CUT)
        self._finish_segment = client.register_script(scripts.FINISH_SEGMENT)
        self._end_job = client.register_script(scripts.END_JOB)

    def begin(self, job_id: str) -> Begun | None:
        """Take a job to cut it; None when it is gone or has ended."""
        of = JobKeys.of(job_id)
        args: list[str | int] = [job_id, now_ms(), keys.EVENTS, self._ttl_s]
        answer = self._begin(keys=[of.job, keys.RUNNING, keys.QUEUED, of.upload], args=args)
        if answer is None:
            return None
        fields, server, head = cast("tuple[list[bytes], bytes, bytes | None]", answer)
        job = decode_job(pairs(fields))
        return None if job is None else Begun(job, server.decode(), head)

    def job(self, job_id: str) -> Job | None:
        """The job's record."""
        return decode_job(self.client.hgetall(JobKeys.of(job_id).job))

    def upload_chunk(self, job_id: str, number: int) -> bytes | None:
        """A chunk of the upload; None when the upload is gone."""
        return cast("bytes | None", self.client.hget(JobKeys.of(job_id).upload, str(number)))

    def progress(self, job_id: str, claimed_ms: int = 0) -> None:
        """Say that a running job is being worked on, and how long its recording claims to be, if it does."""
        self._progress(
            keys=[JobKeys.of(job_id).job, *_BACKLOG], args=[job_id, now_ms(), self._ttl_s, claimed_ms]
        )

    def spool_bytes(self) -> int:
        """The audio that all jobs together keep."""
        return int(cast("bytes | None", self.client.hget(keys.SPOOL, "total")) or 0)

    def long_backlog_ms(self) -> int:
        """The audio of long recordings that waits."""
        return int(cast("bytes | None", self.client.hget(keys.BACKLOG_LONG, "total")) or 0)

    def add_segment(
        self, job_id: str, segment: Segment, samples: NDArray[np.int16], claimed_ms: int = 0
    ) -> tuple[bool, int] | None:
        """Store a segment just cut.

        Args:
            job_id: the job it belongs to.
            segment: its span.
            samples: int16 [samples] at `SAMPLE_RATE_HZ`.
            claimed_ms: how long its recording claims to be, if it does.

        Returns:
            Whether it waits for recognition, and how many milliseconds of the job do;
            None when the job is gone or has ended.
        """
        of = JobKeys.of(job_id)
        args: list[str | int | bytes] = [
            job_id,
            segment.index,
            f"[{segment.start_ms},{segment.end_ms}]",
            segment.duration_ms,
            samples.tobytes(),
            segment.end_ms,
            now_ms(),
            self._ttl_s,
            claimed_ms,
        ]
        waits, ahead_ms = self._add_segment(
            keys=[of.job, of.segments, of.audio, of.outcomes, keys.SPOOL, *_BACKLOG, keys.SPEED],
            args=args,
        )
        return None if waits < 0 else (waits == 1, ahead_ms)

    def close_cut(self, begun: Begun, audio_ms: int) -> CutJob | None:
        """Say that no further segments come; the job if all are finished and it is to be assembled.

        Raises:
            CutAgain: some of those that came may be gone.
        """
        job, of = begun.job, JobKeys.of(begun.job.id)
        args: list[str | int] = [job.id, audio_ms, job.upload_bytes, now_ms(), keys.results(job.id)]
        parts = [of.job, of.upload, of.segments, of.outcomes]
        answer = self._close_cut(keys=[*parts, keys.SPOOL, *_BACKLOG], args=[*args, begun.server])
        if answer == 0:
            raise CutAgain
        return CutJob.of(answer)

    def take_segment(self, job_id: str, index: int) -> WaitingSegment | None:
        """A segment to recognise; None when nothing is left to do for it."""
        of = JobKeys.of(job_id)
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hget(of.audio, str(index))
            pipe.hget(of.job, "options")
            pcm, options = cast("tuple[bytes | None, bytes | None]", pipe.execute())
        if pcm is None or options is None:
            return None
        return WaitingSegment(np.frombuffer(pcm, np.int16), _options.decode(options))

    def finish_segment(
        self, job_id: str, index: int, reason: str = "", heard: Utterance | None = None
    ) -> CutJob | None:
        """Keep what was heard in a segment, or why it is given up; the job if it is to be assembled."""
        of = JobKeys.of(job_id)

        def keep(pipe: Pipeline) -> None:
            if heard is not None:
                results.store(pipe, job_id, index, heard, self._ttl_s)

        answer = scripts.run_behind(
            keep,
            self._finish_segment,
            keys=[of.job, of.segments, of.audio, of.outcomes, keys.SPOOL, *_BACKLOG, keys.SPEED],
            args=[job_id, index, reason, now_ms(), self._ttl_s, keys.EVENTS, keys.results(job_id)],
        )
        return CutJob.of(answer)

    def complete(self, job_id: str, transcript: Transcript) -> bool:
        """End the job well; false when it had ended before."""
        return self._end(Ending(job_id, JobState.DONE, transcript=_transcripts.encode(transcript)))

    def fail(self, job_id: str, error: JobError) -> bool:
        """End the job with an error; false when it had ended before."""
        return self._end(Ending(job_id, JobState.FAILED, error=str(error), error_status=error.status))

    def _end(self, ending: Ending) -> bool:
        ended: int = self._end_job(keys=ending.keys, args=ending.args(self._ttl_s))
        if ended == TO_BE_TOLD:
            self._tell(ending.job_id)
        return bool(ended)
