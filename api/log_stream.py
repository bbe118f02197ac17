"""`GET /monitoring/logs`: what all processes log, as they log it, as server-sent events."""

from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Parameter
from litestar.response import ServerSentEvent
from msgspec import Struct

from api.callers import SECURITY, known_caller, while_known
from api.error_answers import problems
from api.log_listener import MOST_STREAMS, LogListener
from monitoring.log_entries import Level, LogFilter

_EVENT: Final = {
    "id": "1767225600000-0",
    "event": "log",
    "data": '{"host":"asr-1","process":"api","request":"0b4f…","event":"request.answered","method":"POST",'
    '"path":"/asr","status":200,"took_ms":812.4,"level":"info","timestamp":"2026-01-01T00:00:00.000000Z"}',
}


class LogEvent(Struct, frozen=True, kw_only=True):
    """A server-sent event; its data is JSON: `timestamp`, `level`, `process`, `host`, `event`, and fields."""

    id: str
    event: str = "log"
    data: str


@get(
    "/monitoring/logs",
    summary="Follow the log",
    tags=["Operation"],
    guards=[known_caller],
    security=SECURITY,
    media_type="text/event-stream",
    responses=problems(
        {
            401: "An API key is needed.",
            422: "A parameter is bad.",
            503: f"Redis is away, or {MOST_STREAMS} clients follow already; come again after `Retry-After`.",
        }
    )
    | {
        200: ResponseSpec(
            LogEvent,
            description="The events, as they are logged.",
            media_type="text/event-stream",
            generate_examples=False,
            examples=[Example(value=_EVENT)],
        )
    },
)
async def logs(  # noqa: PLR0913, PLR0917 - what a request may say
    log_listener: LogListener,
    request: Request[Any, Any, State],
    level: Annotated[Level, Parameter(description="The least level.")] = "debug",
    process: Annotated[
        str,
        Parameter(
            pattern="^[a-z0-9-]{0,40}$", description="`api`, `instance-1`, …; `instance` is all instances."
        ),
    ] = "",
    job: Annotated[
        str, Parameter(pattern="^[0-9a-f]{0,32}$", description="The id of a job, or what it begins with.")
    ] = "",
    last_event_id: Annotated[
        str | None,
        Parameter(
            header="Last-Event-ID",
            pattern="^[0-9]{1,15}-[0-9]{1,15}$",
            description="The last event heard: go on behind it.",
        ),
    ] = None,
) -> ServerSentEvent:
    """What all processes on all machines log: the last events that are wanted, then each as it is logged."""
    wanted = LogFilter(level=level, process=process, job=job)
    begun = await log_listener.begin(wanted, last_event_id)
    return ServerSentEvent(
        while_known(request, log_listener.follow(begun)), background=BackgroundTask(log_listener.end, begun)
    )
