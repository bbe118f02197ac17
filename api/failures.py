"""Every failure a client can meet, and its HTTP status and sentence: this table and nothing else decides."""

import errno
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis
import structlog
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from actors.access.key_file import KeyFileError
from actors.errors import BadOption
from actors.store.limits import Limit, LimitReached
from api.errors import (
    Interrupted,
    JobExpired,
    JobFailed,
    NoKey,
    Refused,
    StillRunning,
    Unavailable,
    shortened,
)

log = structlog.stdlib.get_logger()

#: When to come again after a failure that passes.
_RETRY_S: Final = 5
_LONGEST_RETRY_S: Final = 3600

#: A disk that is full seldom has room at once.
_FULL_RETRY_S: Final = 60

_LIMITS: Final = {
    Limit.BACKLOG: "too much audio is waiting (ASR_MAX_BACKLOG_S)",
    Limit.WAIT: "too much audio is waiting to answer in time (ASR_REQUEST_TIMEOUT_S), which /jobs would take",
    Limit.SPOOL: "too much audio is waiting (ASR_MAX_SPOOL_MB)",
    Limit.RATE: "too many uploads in a minute (a limit of this key, or ASR_KEY_UPLOADS_PER_MINUTE)",
    Limit.JOBS: "too many jobs that have not ended (a limit of this key, or ASR_KEY_JOBS)",
}

#: What msgspec says of a field that a form does not have.
_UNKNOWN_FIELD: Final = re.compile(r"unknown field `([^`]*)`")

#: The parameters that are headers.
_HEADERS: Final = {"idempotency_key": "Idempotency-Key", "last_event_id": "Last-Event-ID"}

#: The fields of the form that are true or false.
_SWITCHES: Final = {"itn", "punctuation", "details", "vad"}


class Failure(Struct, frozen=True):
    """An HTTP status, a sentence for people, and headers for programs."""

    status: int
    message: str
    headers: dict[str, str] = {}


def describe(error: Exception, fields: Sequence[str] = ()) -> Failure:  # noqa: C901, PLR0912 - a table
    """The answer to a failure; `fields` are those of the form that was asked for."""
    match error:
        case NoKey():
            return Failure(error.status, str(error), {"WWW-Authenticate": "Bearer"})
        case Refused():
            return Failure(error.status, str(error))
        case JobFailed(status=503):
            return _later(503, str(error), _RETRY_S)
        case JobFailed():
            return Failure(error.status, str(error))
        case BadOption():
            return Failure(422, str(error))
        case LimitReached():
            wait_s = min(max(math.ceil(error.wait_ms / 1000), 1), _LONGEST_RETRY_S)
            return _later(429, f"{_LIMITS[error.limit]}; try again in {wait_s} s", wait_s)
        case KeyFileError():
            return _later(503, "nobody is let in: the operator has to see to the API keys", _RETRY_S)
        case Unavailable() | Interrupted() | JobExpired():
            return _later(503, str(error), _RETRY_S)
        case StillRunning():
            return Failure(504, str(error))
        case redis.RedisError():
            return _later(503, "the service has lost its Redis for the moment", 1)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return _later(503, "the disk that uploads are put on is full", _FULL_RETRY_S)
        case HTTPException():
            return _describe_http(error, fields)
        case UnicodeDecodeError():
            return Failure(422, "a text of the form is not UTF-8")
        case _:
            log.error("request.crashed", exc_info=error)
            return Failure(500, "an internal error; the log has the details")


def _later(status: int, message: str, after_s: int) -> Failure:
    return Failure(status, message, {"Retry-After": str(after_s)})


def _describe_http(error: HTTPException, fields: Sequence[str]) -> Failure:
    match error:
        case ValidationException():
            extra: list[dict[str, Any]] = error.extra if isinstance(error.extra, list) else []
            said = [_wrong(one, fields) for one in extra]
            return Failure(422, "; ".join(said) or error.detail)
        case HTTPException(status_code=413):
            return Failure(413, "the upload is larger than ASR_MAX_UPLOAD_MB allows")
        case _:
            return Failure(error.status_code, error.detail, error.headers or {})


def _wrong(said: Mapping[str, Any], fields: Sequence[str]) -> str:
    """What is wrong with a field of the form or a parameter, and what it should be."""
    # Of a parameter that must not be called in Python as it is in HTTP.
    key = _HEADERS.get(said.get("key", ""), said.get("key", "").removesuffix("_"))
    message = shortened(str(said.get("message", "")))
    if unknown := _UNKNOWN_FIELD.search(message):
        return f"{unknown[1]}: is not supported; the fields are {', '.join(fields)}"
    if key in _SWITCHES:
        return f"{key}: {message}; it is one of true, false, 1, 0"
    if key == "file" or "`file`" in message:
        return "file: missing; the recording is uploaded as a file in the form field `file`"
    return f"{key}: {message}"
