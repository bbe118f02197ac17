"""The three shapes in which clients are told of a failure.

`/asr*` answer `{"code", "msg"}`, `/v1` OpenAI's error object, the other endpoints RFC 9457 problem details.
"""

from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from msgspec import UNSET, Struct, UnsetType

from actors.records import JobState
from actors.store.limits import LimitReached
from api.errors import Interrupted, NoKey, NotDone, StillRunning, UnknownModel
from api.failures import describe

_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429

#: OpenAI's own names of some errors.
_OPENAI_CODES: Final[dict[type[Exception], str]] = {
    UnknownModel: "model_not_found",
    NoKey: "invalid_api_key",
    LimitReached: "rate_limit_exceeded",
}


class AsrFailure(Struct, frozen=True):
    """The body of a failed `/asr*` request."""

    code: int
    msg: str


class OpenAiError(Struct, frozen=True):
    """What went wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAiFailure(Struct, frozen=True):
    """The body of a failed `/v1` request."""

    error: OpenAiError


class Problem(Struct, frozen=True):
    """RFC 9457 problem details."""

    status: int
    title: str
    detail: str
    #: Where the job stands that has no result.
    state: JobState | UnsetType = UNSET


#: What an upload may be answered wherever it is sent to.
UPLOAD_ERRORS: Final = {
    401: "An API key is needed.",
    413: "The upload or the recording is too long.",
    429: "Too much audio is waiting, or too many uploads of this key; `Retry-After` says when to come again.",
    503: "Redis is away or no instance is alive; `Retry-After` says when to come again.",
}


def problems(*tables: dict[int, str]) -> dict[int, ResponseSpec]:
    """What statuses mean, in the OpenAPI document of endpoints that answer problem details."""
    return {
        status: ResponseSpec(
            Problem,
            description=meaning,
            media_type="application/problem+json",
            generate_examples=False,
            examples=[Example(value={"status": status, "title": "Refused", "detail": meaning})],
        )
        for table in tables
        for status, meaning in table.items()
    }


def answer_asr(request: Request[Any, Any, Any], error: Exception) -> Response[AsrFailure]:
    """A failure as `/asr*` report it."""
    failure = describe(error, form_fields(request))
    body = AsrFailure(failure.status, failure.message)
    return Response(body, status_code=failure.status, headers=failure.headers)


def answer_openai(request: Request[Any, Any, Any], error: Exception) -> Response[OpenAiFailure]:
    """A failure as OpenAI reports it; what is the request's fault is 400 there, not 422 or 415."""
    failure = describe(error, form_fields(request))
    status = 400 if failure.status in {415, 422} else failure.status
    body = openai_error(status, failure.message, _OPENAI_CODES.get(type(error)))
    # OpenAI's clients try again after 409, 503 and 504, which would make another job beside one that goes on.
    final = isinstance(error, StillRunning | NotDone | Interrupted)
    headers = failure.headers | ({"x-should-retry": "false"} if final else {})
    return Response(body, status_code=status, headers=headers)


def openai_error(status: int, message: str, code: str | None = None) -> OpenAiFailure:
    """OpenAI's error object; the parameter at fault is what the message begins with."""
    param, colon, _ = message.partition(":")
    kind = "server_error" if status >= _SERVER_ERROR else "invalid_request_error"
    if status == _TOO_MANY:
        kind = "rate_limit_error"
    return OpenAiFailure(OpenAiError(message, kind, param if colon and " " not in param else None, code))


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A failure as problem details, except below paths that have their own way, also of a wrong method."""
    for prefix, answer in (("/asr", answer_asr), ("/v1", answer_openai)):
        if request.url.path.startswith(prefix):
            return answer(request, error)
    failure = describe(error, form_fields(request))
    title = "Not Found" if isinstance(error, NotFoundException) else type(error).__name__
    state = error.state if isinstance(error, NotDone) else UNSET
    problem = Problem(failure.status, title, failure.message, state)
    return Response(
        msgspec.json.encode(problem),
        status_code=failure.status,
        headers=failure.headers,
        media_type="application/problem+json",
    )


def form_fields(request: Request[Any, Any, Any]) -> list[str]:
    """The fields of the form that the endpoint of a request takes; none where it takes none."""
    handler = request.scope.get("route_handler")
    form = handler.parsed_data_field if handler else None
    if form is None or not (isinstance(form.annotation, type) and issubclass(form.annotation, Struct)):
        return []
    return [field.encode_name for field in msgspec.structs.fields(form.annotation)]


def not_found(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """For a file whose name cannot even be looked up: too long, or with a zero in it."""
    return answer_problem(request, NotFoundException(f"no such file: {type(error).__name__}"))
