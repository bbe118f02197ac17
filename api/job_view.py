"""A job as clients see it."""

from typing import Annotated

from msgspec import Meta, Struct

from actors.callbacks.target import origin
from actors.clock import now_ms
from actors.records import CallbackState, Job, JobState
from actors.store.following import Page, Standing


class SegmentCounts(Struct, frozen=True, kw_only=True):
    """How many segments a job has, and how they fare; `total` grows until the job is `cut`."""

    total: Annotated[int, Meta(examples=[12])]
    finished: Annotated[int, Meta(description="Those that failed as well.", examples=[5])]
    failed: Annotated[int, Meta(examples=[0])]


class AudioProgress(Struct, frozen=True, kw_only=True):
    """How much of the recording is done, in seconds."""

    done_s: Annotated[float, Meta(description="Recognised, or found to be silent.", examples=[21.5])]
    total_s: Annotated[
        float | None,
        Meta(
            description="Its length: as the file claims it until the job is `cut`, null where it does not.",
            examples=[60.0],
        ),
    ]


class JobError(Struct, frozen=True, kw_only=True):
    """Why a job has failed."""

    status: Annotated[int, Meta(description="The HTTP status that says so.", examples=[422])]
    message: Annotated[str, Meta(examples=["the file is damaged"])]


class Callback(Struct, frozen=True, kw_only=True):
    """How far it has got that the end of the job is told."""

    origin: Annotated[
        str,
        Meta(
            description="To whom; the rest of the URL may hold secrets and is not shown.",
            examples=["https://example.org"],
        ),
    ]
    state: Annotated[
        CallbackState,
        Meta(description="`delivered` once it was answered with 2xx, `failed` once it is given up."),
    ]
    tries: Annotated[int, Meta(examples=[1])]
    error: Annotated[str | None, Meta(description="Why the last try failed, else null.")]


class JobView(Struct, frozen=True, kw_only=True):
    """Where a job stands. Times are Unix milliseconds."""

    id: Annotated[str, Meta(examples=["0b4f7c5e8a914d0e9d0c7f6f3d1f2a3b"])]
    state: JobState
    position: Annotated[
        int | None,
        Meta(
            description="While `queued`: the place in the line for a segmenter, from 1; null while the "
            "upload is being stored, and later.",
            examples=[3],
        ),
    ]
    segments: SegmentCounts
    audio: AudioProgress
    cut: Annotated[bool, Meta(description="Whether the recording is cut to its end.")]
    eta_s: Annotated[
        float | None,
        Meta(
            description="Seconds until it is done at the speed so far; null unless `running`, and while that "
            "or the recording's length is unknown.",
            examples=[8.2],
        ),
    ]
    created_ms: Annotated[int, Meta(examples=[1_767_225_600_000])]
    started_ms: Annotated[int | None, Meta(description="When a segmenter took it.")]
    ended_ms: int | None
    error: Annotated[JobError | None, Meta(description="Why it `failed`, else null.")]
    callback: Annotated[Callback | None, Meta(description="Null for a job without one.")]


class JobPage(Struct, frozen=True, kw_only=True):
    """Some jobs, newest first."""

    jobs: tuple[JobView, ...]
    next: Annotated[
        str | None,
        Meta(
            description="The `cursor` of the next page, null after the last. With `state` a page may be "
            "short, even empty, and others still follow.",
            examples=["1767225600000"],
        ),
    ]


def view(standing: Standing) -> JobView:
    """The job as it is now."""
    job = standing.job
    return JobView(
        id=job.id,
        state=job.state,
        position=standing.position,
        segments=SegmentCounts(total=job.segments, finished=job.finished, failed=job.failed),
        audio=AudioProgress(done_s=_done_ms(job) / 1000, total_s=_seconds(_total_ms(job))),
        cut=job.cut,
        eta_s=_seconds(eta_ms(job, now_ms())),
        created_ms=job.created_ms,
        started_ms=job.started_ms,
        ended_ms=job.ended_ms,
        error=JobError(status=job.error_status or 503, message=job.error) if job.error else None,
        callback=_callback(job, job.callback) if job.callback else None,
    )


def view_page(page: Page) -> JobPage:
    """A page of jobs as they are now."""
    return JobPage(
        jobs=tuple(view(standing) for standing in page.standings),
        next=None if page.next is None else str(page.next),
    )


def eta_ms(job: Job, at_ms: int) -> int | None:
    """Milliseconds until a running job is done at its speed so far; None while that is unknown."""
    total, done = _total_ms(job), _done_ms(job)
    if job.state is not JobState.RUNNING or job.started_ms is None or total is None or not done:
        return None
    return max(0, total - done) * max(0, at_ms - job.started_ms) // done


def _callback(job: Job, url: str) -> Callback:
    return Callback(
        origin=origin(url),
        state=job.callback_state or CallbackState.PENDING,
        tries=job.callback_tries,
        error=job.callback_error,
    )


def _done_ms(job: Job) -> int:
    """What is cut and does not wait for recognition; silence is done as soon as it is passed."""
    return max(0, job.audio_ms - (job.cut_ms - job.finished_ms))


def _total_ms(job: Job) -> int | None:
    return job.audio_ms if job.cut else max(job.claimed_ms, job.audio_ms) if job.claimed_ms else None


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
