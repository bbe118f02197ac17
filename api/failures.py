"""Every failure a client can meet, and the HTTP answer it gets: this table and nothing else decides.

`/asr*` answer `{"code", "msg"}`, `/v1` OpenAI's error object, the other endpoints RFC 9457 problem details.
"""

import re
from typing import Any, Final

import msgspec
import redis
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException, ValidationException
from msgspec import UNSET, Struct, UnsetType

from actors.errors import BadOption
from actors.records import Job, JobState
from actors.store.jobs import SpoolFull

log = structlog.stdlib.get_logger()


#: When to come again after a failure that passes.
_RETRY_S: Final = 5
_UNAVAILABLE: Final = 503

#: What msgspec says of a field that a form does not have.
_UNKNOWN_FIELD: Final = re.compile(r"unknown field `([^`]*)`")

#: The fields of the form that are true or false.
_SWITCHES: Final = {"itn", "punctuation", "details", "vad"}

_SERVER_ERROR: Final = 500

#: OpenAI's types of errors of the client's that have their own.
_OPENAI_KINDS: Final = {429: "rate_limit_error"}

#: What was sent is repeated in a message up to here.
_MESSAGE_CHARS: Final = 200


class Unavailable(Exception):
    """No instance is alive that could do the work."""


class StillRunning(Exception):
    """A job has made no progress for as long as a synchronous request waits; it goes on."""

    def __init__(self, job: Job, waited_s: int) -> None:
        super().__init__(f"job {job.id} made no progress for {waited_s} s; it goes on: GET /jobs/{job.id}")


class Interrupted(Exception):
    """The API stops while a request waits for its job, which goes on."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"the service is restarting; job {job.id} goes on: GET /jobs/{job.id}")


class Refused(Exception):
    """The request is at fault; `status` says how."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class JobFailed(Exception):
    """The job of the request has failed; `status` says whose fault it was."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class JobExpired(Exception):
    """The job or its result has outlived `ASR_RESULT_TTL_S`."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} has expired: its result is no longer kept")


class NotDone(Refused):
    """The job has no result, or not yet; `state` says where it stands."""

    def __init__(self, job: Job) -> None:
        yet = "" if job.state.ended else " yet"
        super().__init__(409, f"job {job.id} is {job.state}: it has no result{yet}")
        self.state = job.state


class NoResult(Refused):
    """The job is done, but its result is no longer kept."""

    def __init__(self, job_id: str) -> None:
        super().__init__(404, f"the result of job {job_id} is no longer kept: it was deleted, or has expired")


class UnknownJob(Refused):
    """No job has this id, or it has expired."""

    def __init__(self, job_id: str) -> None:
        shown = job_id if len(job_id) <= _MESSAGE_CHARS else job_id[:_MESSAGE_CHARS] + "…"
        super().__init__(404, f"no job {shown!r}: it never was, or has expired")


class UnknownModel(Refused):
    """A model is named that does not run here."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        shown = name if len(name) <= _MESSAGE_CHARS else name[:_MESSAGE_CHARS] + "…"
        super().__init__(404, f"model: there is no {shown!r}; there are {', '.join(known)}")


class HungUp(Refused):
    """The client has closed the connection; nobody reads the answer."""

    def __init__(self) -> None:
        super().__init__(499, "the client has closed the connection")


class Failure(Struct, frozen=True):
    """An HTTP status, a sentence for people, and when to try again."""

    status: int
    message: str
    retry_after_s: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}


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


def describe(error: Exception) -> Failure:
    """The answer to a failure."""
    match error:
        case Refused():
            return Failure(error.status, str(error))
        case JobFailed():
            return Failure(error.status, str(error), _RETRY_S if error.status == _UNAVAILABLE else None)
        case BadOption():
            return Failure(422, str(error))
        case SpoolFull():
            return Failure(429, "too much audio is waiting (ASR_MAX_SPOOL_MB); try again later", _RETRY_S)
        case Unavailable() | Interrupted() | JobExpired():
            return Failure(_UNAVAILABLE, str(error), _RETRY_S)
        case StillRunning():
            return Failure(504, str(error))
        case redis.RedisError():
            return Failure(_UNAVAILABLE, "the service has lost its Redis for the moment", 1)
        case HTTPException():
            return _describe_http(error)
        case UnicodeDecodeError():
            return Failure(422, "a text of the form is not UTF-8")
        case _:
            log.error("request.crashed", exc_info=error)
            return Failure(500, "an internal error; the log has the details")


def answer_asr(_: Request[Any, Any, Any], error: Exception) -> Response[AsrFailure]:
    """A failure as `/asr*` report it."""
    failure = describe(error)
    body = AsrFailure(failure.status, failure.message)
    return Response(body, status_code=failure.status, headers=failure.headers)


def answer_openai(_: Request[Any, Any, Any], error: Exception) -> Response[OpenAiFailure]:
    """A failure as OpenAI reports it; what is the request's fault is 400 there, not 422 or 415."""
    failure = describe(error)
    status = 400 if failure.status in {415, 422} else failure.status
    body = openai_error(
        status, failure.message, "model_not_found" if isinstance(error, UnknownModel) else None
    )
    # OpenAI's clients try again after 409, 503 and 504, which would make another job beside one that goes on.
    final = isinstance(error, StillRunning | NotDone | Interrupted)
    headers = failure.headers | ({"x-should-retry": "false"} if final else {})
    return Response(body, status_code=status, headers=headers)


def openai_error(status: int, message: str, code: str | None = None) -> OpenAiFailure:
    """OpenAI's error object; the parameter at fault is what the message begins with."""
    param, colon, _ = message.partition(":")
    kind = "server_error" if status >= _SERVER_ERROR else _OPENAI_KINDS.get(status, "invalid_request_error")
    return OpenAiFailure(OpenAiError(message, kind, param if colon and " " not in param else None, code))


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A failure as problem details, except below paths that have their own way, also of a wrong method."""
    for prefix, answer in (("/asr", answer_asr), ("/v1", answer_openai)):
        if request.url.path.startswith(prefix):
            return answer(request, error)
    failure = describe(error)
    title = "Not Found" if isinstance(error, NotFoundException) else type(error).__name__
    state = error.state if isinstance(error, NotDone) else UNSET
    problem = Problem(failure.status, title, failure.message, state)
    return Response(
        msgspec.json.encode(problem),
        status_code=failure.status,
        headers=failure.headers,
        media_type="application/problem+json",
    )


def _describe_http(error: HTTPException) -> Failure:
    match error:
        case ValidationException():
            extra: list[dict[str, Any]] = error.extra if isinstance(error.extra, list) else []
            said = [_field(wrong.get("key", ""), str(wrong.get("message", ""))) for wrong in extra]
            return Failure(422, "; ".join(said) or error.detail)
        case HTTPException(status_code=413):
            return Failure(413, "the upload is larger than ASR_MAX_UPLOAD_MB allows")
        case _:
            return Failure(error.status_code, error.detail)


def not_found(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """For a file whose name cannot even be looked up: too long, or with a zero in it."""
    return answer_problem(request, NotFoundException(f"no such file: {type(error).__name__}"))


def _field(key: str, message: str) -> str:
    """What is wrong with a field of the form or a parameter, and what it should be."""
    key = key.removesuffix("_")  # of a parameter that must not be called in Python as it is in HTTP
    message = message if len(message) <= _MESSAGE_CHARS else message[:_MESSAGE_CHARS] + "…"
    if unknown := _UNKNOWN_FIELD.search(message):
        return f"{unknown[1]}: is not supported"
    if key in _SWITCHES:
        return f"{key}: {message}; it is one of true, false, 1, 0"
    if key == "file" or "`file`" in message:
        return "file: missing; the recording is uploaded as a file in the form field `file`"
    return f"{key}: {message}"
