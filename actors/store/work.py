"""The store as the workers use it: they take jobs, cut them, and finish their segments."""

from collections.abc import Callable
from typing import cast

import msgspec
import numpy as np
import redis
from msgspec import Struct
from numpy.typing import NDArray

from actors.clock import now_ms
from actors.errors import JobError
from actors.records import Job, JobState, Options, Segment, Transcript
from actors.store import keys, scripts
from actors.store.ending import TO_BE_TOLD, Ending
from actors.store.hashes import decode_job
from actors.store.keys import JobKeys

_BACKLOG = (keys.BACKLOG_SHORT, keys.BACKLOG_LONG)

_transcripts = msgspec.json.Encoder()
_options = msgspec.json.Decoder(Options)
_spans = msgspec.json.Decoder(tuple[int, int])


class WaitingSegment(Struct, frozen=True):
    """A segment to be recognised: int16 [samples] at `SAMPLE_RATE_HZ`, and what the client asked for."""

    samples: NDArray[np.int16]
    options: Options


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

    def begin(self, job_id: str) -> Job | None:
        """Take a job to cut it; None when it is gone or has ended."""
        of = JobKeys.of(job_id)
        args: list[str | int] = [job_id, now_ms(), keys.EVENTS, self._ttl_s]
        fields = cast("list[bytes]", self._begin(keys=[of.job, keys.RUNNING, keys.QUEUED], args=args))
        return decode_job(dict(zip(fields[::2], fields[1::2], strict=True)))

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
        self, job_id: str, segment: Segment, samples: NDArray[np.int16]
    ) -> tuple[bool, int] | None:
        """Store a segment just cut.

        Args:
            job_id: the job it belongs to.
            segment: its span.
            samples: int16 [samples] at `SAMPLE_RATE_HZ`.

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
        ]
        waits, ahead_ms = self._add_segment(
            keys=[of.job, of.segments, of.audio, of.outcomes, keys.SPOOL, *_BACKLOG, keys.SPEED],
            args=args,
        )
        return None if waits < 0 else (waits == 1, ahead_ms)

    def close_cut(self, job: Job, audio_ms: int) -> bool:
        """Say that no further segments come; true when all are finished and the job is to be assembled."""
        of = JobKeys.of(job.id)
        args: list[str | int] = [job.id, audio_ms, job.upload_bytes, now_ms()]
        return bool(self._close_cut(keys=[of.job, of.upload, keys.SPOOL, *_BACKLOG], args=args))

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

    def finish_segment(self, job_id: str, index: int, reason: str = "") -> bool:
        """Mark a segment recognised, or given up for a reason; true when the job is to be assembled."""
        of = JobKeys.of(job_id)
        return bool(
            self._finish_segment(
                keys=[of.job, of.segments, of.audio, of.outcomes, keys.SPOOL, *_BACKLOG, keys.SPEED],
                args=[job_id, index, reason, now_ms(), self._ttl_s, keys.EVENTS, keys.results(job_id)],
            )
        )

    def segments(self, job_id: str) -> list[tuple[Segment, str]]:
        """The job's segments in order, each with the reason why it failed, or ""."""
        return self.cut_job(job_id)[1]

    def cut_job(self, job_id: str) -> tuple[Job | None, list[tuple[Segment, str]]]:
        """The job's record, and its segments in order, each with the reason why it failed, or ""."""
        of = JobKeys.of(job_id)
        with self.client.pipeline() as pipe:
            for key in (of.job, of.segments, of.outcomes):
                pipe.hgetall(key)
            fields, spans, outcomes = cast("list[dict[bytes, bytes]]", pipe.execute())
        ordered = sorted((int(index), *_spans.decode(span)) for index, span in spans.items())
        segments = [(Segment(*span), outcomes.get(b"%d" % span[0], b"").decode()) for span in ordered]
        return decode_job(fields), segments

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
