"""Makes an event small enough for the stream that all processes share; the files keep all of it."""

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

#: Characters of a text.
MOST_CHARS: Final = 500

#: The innermost frames of a traceback.
MOST_FRAMES: Final = 8

#: Errors that led to one another.
_MOST_CAUSES: Final = 4

_HOME: Final = str(Path(__file__).resolve().parent.parent) + "/"


def shorten(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Cut long texts, and of an exception keep what it says and where it was raised."""
    error = _error(event.pop("exc_info", None))
    event.pop("stack_info", None)
    for name, value in event.items():
        event[name] = _cut(value)
    if error is not None:
        causes = [error, *_causes(error)][:_MOST_CAUSES]
        event["exception"] = _cut(" from ".join(f"{type(one).__name__}: {one}" for one in causes))
        event["frames"] = _frames(error.__traceback__)
    return event


def _error(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case None | False:
            return None
        case _:
            return sys.exc_info()[1]


def _causes(error: BaseException) -> Iterator[BaseException]:
    following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if following is not None:
        yield following
        yield from _causes(following)


def _frames(where: TracebackType | None) -> list[str]:
    frames = [
        f"{_place(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(where)
    ]
    return frames[-MOST_FRAMES:]


def _place(path: str) -> str:
    return path.rpartition("/site-packages/")[2].removeprefix(_HOME)


def _cut(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= MOST_CHARS else value[:MOST_CHARS] + "…"
        case dict():
            return {str(name): _cut(part) for name, part in list(value.items())[:MOST_CHARS]}
        case _:
            return _cut(str(value))
