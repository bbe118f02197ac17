"""A report as JSON: the run, its figures and the advice, as they can be read again."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from loadtest.advice import Advice
from loadtest.figures import Figures
from loadtest.plan import BadPlan
from loadtest.records import Run

#: Raised whenever an older report could not be read any more.
VERSION: Final = 2


class BadReport(Exception):
    """A file holds no report; the message says which, and why."""


class Report(Struct, frozen=True, kw_only=True):
    """All that is known of a run."""

    version: int = VERSION
    run: Run
    figures: Figures
    advice: tuple[Advice, ...]


class _Head(Struct):
    version: int


def read(path: Path) -> Report:
    """A report that was written as JSON.

    Raises:
        BadReport: there is none in this file, or it is of another version.
    """
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Head).version
        if version == VERSION:
            return msgspec.json.decode(content, type=Report)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, BadPlan) as error:
        raise BadReport(f"{path} holds no report of a load test: {error}") from error
    raise BadReport(f"{path} is a report of version {version}, and this Quintet reads {VERSION}")
