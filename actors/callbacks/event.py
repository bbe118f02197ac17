"""What a callback says: that a job has ended, how, and where its result is."""

import datetime as dt

import msgspec
from msgspec import Struct

from actors.records import Job, JobState


class Failure(Struct, frozen=True):
    """Why a job has failed, and the HTTP status that says so."""

    status: int
    message: str


class EndedJob(Struct, frozen=True, kw_only=True):
    """The job, in the words of `GET /jobs/{id}`, which has more. Times are Unix milliseconds."""

    id: str
    state: JobState
    created_ms: int
    started_ms: int | None
    ended_ms: int
    error: Failure | None
    #: Path of the result, of a job that is done.
    result: str | None


class JobEnded(Struct, frozen=True, kw_only=True):
    """The payload, in the form that Standard Webhooks recommends."""

    type: str
    #: When the job ended.
    timestamp: dt.datetime
    data: EndedJob


def body(job: Job) -> bytes:
    """The payload for a job that has ended, always the same."""
    ended_ms = job.ended_ms or job.progress_ms
    event = JobEnded(
        type=f"job.{job.state}",
        timestamp=dt.datetime.fromtimestamp(ended_ms / 1000, dt.UTC),
        data=EndedJob(
            id=job.id,
            state=job.state,
            created_ms=job.created_ms,
            started_ms=job.started_ms,
            ended_ms=ended_ms,
            error=Failure(job.error_status or 503, job.error) if job.error else None,
            result=f"/jobs/{job.id}/result" if job.state is JobState.DONE else None,
        ),
    )
    return msgspec.json.encode(event)
