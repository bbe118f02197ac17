"""What a receiver is told."""

import json

from msgspec.structs import replace

from actors.callbacks.event import body
from actors.records import Job, JobState, Options

DONE = Job(
    id="0b4f",
    state=JobState.DONE,
    options=Options(),
    created_ms=1_767_225_600_000,
    started_ms=1_767_225_600_100,
    ended_ms=1_767_225_601_234,
    progress_ms=1_767_225_601_234,
    upload_bytes=3,
    callback="https://example.org/?token=s3cret",
)


def test_a_job_that_is_done() -> None:
    """Its times, and where its result is; nothing of what was said."""
    assert json.loads(body(DONE)) == {
        "type": "job.done",
        "timestamp": "2026-01-01T00:00:01.234000Z",
        "data": {
            "id": "0b4f",
            "state": "done",
            "created_ms": 1_767_225_600_000,
            "started_ms": 1_767_225_600_100,
            "ended_ms": 1_767_225_601_234,
            "error": None,
            "result": "/jobs/0b4f/result",
        },
    }


def test_a_job_without_a_result() -> None:
    """One that failed says why; one that was cancelled just ended."""
    failed = json.loads(body(replace(DONE, state=JobState.FAILED, error="damaged", error_status=422)))
    cancelled = json.loads(body(replace(DONE, state=JobState.CANCELLED, started_ms=None)))

    assert (failed["type"], failed["data"]["error"]) == (
        "job.failed",
        {"status": 422, "message": "damaged"},
    )
    assert (cancelled["type"], cancelled["data"]["error"]) == ("job.cancelled", None)
    assert failed["data"]["result"] is cancelled["data"]["result"] is None


def test_sent_again_it_is_the_same() -> None:
    """Whatever has been noted of the tries meanwhile."""
    assert body(replace(DONE, callback_tries=3, callback_error="the receiver answered 500")) == body(DONE)
