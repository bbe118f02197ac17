"""`/jobs`: recordings handed in, followed, fetched and cancelled, each in a request of its own."""

import asyncio
import contextlib
import re
from typing import Annotated, Any, Final

import redis
from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import ResponseHeader, State
from litestar.enums import RequestEncodingType
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter
from litestar.response import ServerSentEvent
from msgspec import Meta

from actors.records import JobState
from actors.store.following import Standing
from api.asr import RecordingForm
from api.callers import SECURITY, Caller, known_caller, while_known
from api.error_answers import UPLOAD_ERRORS, problems
from api.errors import JobExpired, NoResult, UnknownJob
from api.form_guard import GuardedRequest
from api.intake import Recognizer, has_room
from api.job_events import Event, JobStream, Place
from api.job_view import JobPage, JobView, view, view_page
from api.results import FORMATS, AnyFormat, FormatName, Result

_TAGS: Final = ["Jobs"]

_UNKNOWN: Final = {404: "No job of the caller's has this id, or it has expired."}
_NO_SUCH_RESULT: Final = {404: "No job has this id, it has expired, or its result was deleted."}
_COMMON: Final = {401: "An API key is needed.", 503: "Redis is away; `Retry-After` says when to come again."}
_REFUSALS: Final = UPLOAD_ERRORS | {
    415: "Not a supported container.",
    422: "The form or a field is bad, the model cannot do what is asked, or the `Idempotency-Key` has named "
    "a file of another size or other options.",
}
_NO_RESULT: Final = {
    409: "The job is not done, or was cancelled; `state` says where it stands.",
    413: "The job has failed: the recording is too long.",
    415: "The job has failed: not a supported container.",
    422: "The job has failed: the audio cannot be read; or there is no such `format`.",
}


_EVENT: Final = {
    "id": "running-1",
    "event": "segment",
    "data": '{"index":0,"start_ms":330,"end_ms":3120,"text":"Hello, world.","language":"en","error":null}',
}


class JobForm(RecordingForm, frozen=True, kw_only=True):
    """The multipart form of `/jobs`."""

    vad: Annotated[
        bool,
        Meta(description="True cuts by voice activity; false recognises all of it, pauses included."),
    ] = True
    callback: Annotated[
        str,
        Meta(
            description="A URL, `http` or `https`, to which the end of the job is sent: a POST of JSON with "
            "`type` (`job.done`, `job.failed`, `job.cancelled`), `timestamp` and `data` (`id`, `state`, "
            "`created_ms`, `started_ms`, `ended_ms`, `error`, and `result`, the path of it), signed as "
            "standardwebhooks.com has it. Any 2xx takes it; else it is sent again for about an hour, 8 times "
            "in all, except after 410. It may come twice: `webhook-id` is the id of the job. Refused where "
            "the operator has set no ASR_CALLBACK_SECRET, and for what is not public, unless the operator "
            "allows it.",
            examples=["https://example.org/transcribed"],
        ),
    ] = ""


_FormBody = Annotated[JobForm, Body(media_type=RequestEncodingType.MULTI_PART)]

_Key = Annotated[
    str | None,
    Parameter(
        header="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="A name of the client's own: sent again with it, the request gives the same job, for as "
        "long as that is kept.",
    ),
]

_ID: Final = re.compile(r"[0-9a-f]{32}")

_JobId = Annotated[str, Parameter(description="The id of the job.")]


@post(
    summary="Hand in a recording",
    guards=[has_room],
    status_code=202,
    tags=_TAGS,
    responses=problems(_REFUSALS),
    response_headers=[
        ResponseHeader(name="Location", documentation_only=True, description="Where to follow the job.")
    ],
)
async def submit(
    data: _FormBody, recognizer: Recognizer, caller: Caller, idempotency_key: _Key = None
) -> Response[JobView]:
    """Take the recording in and answer at once; `Location` is where to follow the job."""
    job = await recognizer.submit(
        data.file,
        data.options(vad=data.vad),
        caller,
        key=idempotency_key,
        callback=data.callback or None,
    )
    standing = None
    with contextlib.suppress(redis.RedisError):  # the job is taken in, whatever happens now
        standing = await recognizer.follower.standing(job.id)
    standing = standing or Standing(job, None)
    return Response(view(standing), headers={"Location": f"/jobs/{job.id}"})


@get(
    summary="The caller's jobs",
    tags=_TAGS,
    responses=problems({422: "A parameter is bad."}, _COMMON),
)
async def listing(
    recognizer: Recognizer,
    caller: Caller,
    limit: Annotated[int, Parameter(ge=1, le=100, description="Most jobs of a page.")] = 20,
    cursor: Annotated[
        str | None, Parameter(pattern=r"^[0-9]{1,15}$", description="The `next` of the page before.")
    ] = None,
    state_: Annotated[
        JobState | None, Parameter(query="state", description="Only jobs in this state.")
    ] = None,
) -> JobPage:
    """Newest first, those of `/asr`, `/asr_simple` and `/v1` as well, until they expire."""
    before = None if cursor is None else int(cursor)
    return view_page(await recognizer.follower.page(caller.name, limit, state_, before))


@get(
    "/{job_id:str}",
    summary="Where a job stands",
    tags=_TAGS,
    responses=problems(_UNKNOWN, _COMMON),
)
async def show(job_id: _JobId, recognizer: Recognizer, caller: Caller) -> JobView:
    """State, progress, and when it may be done."""
    return view(await _standing(recognizer, job_id, caller))


@get(
    "/{job_id:str}/result",
    summary="The result of a job",
    operation_class=AnyFormat,
    tags=_TAGS,
    responses=problems(_NO_SUCH_RESULT, _NO_RESULT, _COMMON)
    | {200: ResponseSpec(Result, description="The result, as a file in the `format` asked for.")},
)
async def result(
    job_id: _JobId,
    recognizer: Recognizer,
    caller: Caller,
    format_: Annotated[
        FormatName, Parameter(query="format", description="`json` has all that the model knows.")
    ] = "json",
) -> Response[str | bytes]:
    """Subtitles, text, or everything as JSON; a failed job answers with its own error and status."""
    job = (await _standing(recognizer, job_id, caller)).job
    try:
        transcript = await recognizer.result(job)
    except JobExpired:
        raise NoResult(job_id) from None
    form = FORMATS[format_]
    return Response(
        await asyncio.to_thread(form.render, transcript),
        media_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="{job_id}.{format_}"'},
    )


@delete("/{job_id:str}", summary="Cancel a job", tags=_TAGS, responses=problems(_UNKNOWN, _COMMON))
async def cancel(job_id: _JobId, recognizer: Recognizer, caller: Caller) -> None:
    """Nothing of the job is left but its record; one that has ended keeps its state and loses its result."""
    await _standing(recognizer, job_id, caller)
    await recognizer.cancel(job_id)


@get(
    "/{job_id:str}/events",
    summary="Follow a job",
    tags=_TAGS,
    media_type="text/event-stream",
    responses=problems(_UNKNOWN, {422: "`Last-Event-ID` is none of this stream."}, _COMMON)
    | {
        200: ResponseSpec(
            Event,
            description="The events, as they happen.",
            media_type="text/event-stream",
            generate_examples=False,
            examples=[Example(value=_EVENT)],
        )
    }
    | {204: ResponseSpec(None, description="`Last-Event-ID` is that of `done`: there is nothing more.")},
)
async def events(
    job_id: _JobId,
    recognizer: Recognizer,
    caller: Caller,
    request: Request[Any, Any, State],
    last_event_id: Annotated[
        str | None,
        Parameter(header="Last-Event-ID", description="The last event heard: go on behind it."),
    ] = None,
) -> Response[Any]:
    """Server-sent events until the job has ended: `state` with the job, `segment`, and `done` with the job.

    Segments come in the order of time, each as soon as it and all before it are finished. A job that has
    ended is replayed from its result.
    """
    place = Place.of(last_event_id)
    await _standing(recognizer, job_id, caller)
    if place.at_end:
        return Response(None, status_code=204)
    stream = JobStream(recognizer.store, recognizer.follower, recognizer.listener)
    return ServerSentEvent(while_known(request, stream.events(job_id, place)))


async def _standing(recognizer: Recognizer, job_id: str, caller: Caller) -> Standing:
    # Anything else could name another key.
    standing = await recognizer.follower.standing(job_id) if _ID.fullmatch(job_id) else None
    if standing is None or standing.job.caller != caller.name:
        raise UnknownJob(job_id)
    return standing


def router(max_body_bytes: int) -> Router:
    """All of `/jobs`."""
    return Router(
        path="/jobs",
        guards=[known_caller],
        security=SECURITY,
        route_handlers=[submit, listing, show, result, cancel, events],
        request_class=GuardedRequest,
        request_max_body_size=max_body_bytes,
    )
