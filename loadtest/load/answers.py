"""What an answer is worth: its text, or why it has none."""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from actors.records import Stats
from loadtest.plan import Endpoint
from loadtest.records import OK

#: The classes of errors that have no HTTP status.
CONNECTION: Final = "connection"
FAILED_SEGMENTS: Final = "failed segments"
WRONG_TEXT: Final = "wrong text"
UNREADABLE: Final = "unreadable answer"

#: What JSON or text that is none raises.
UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)

#: Characters of a reason that are kept.
REASON_CHARS: Final = 200

#: The number and the times of a cue.
_CUE_HEAD: Final = re.compile(r"^\d+\n[\d:,]+ --> [\d:,]+$", re.MULTILINE)


class Answer(Struct, frozen=True, kw_only=True):
    """What is left of an answer once it is judged."""

    outcome: str = OK
    reason: str = ""
    text: str = ""
    segments: int = 0


class _Asr(Struct):
    code: int
    data: str
    stats: Stats


class _Result(Struct):
    text: str
    stats: Stats


class _Transcription(Struct):
    text: str


def judge(endpoint: Endpoint, status: int, content: bytes) -> Answer:
    """A whole answer, of `jobs` the job's result as JSON."""
    if status != 200:
        return failure(str(status), reason(content))
    try:
        match endpoint:
            case Endpoint.ASR | Endpoint.ASR_SIMPLE:
                return _of_asr(endpoint, msgspec.json.decode(content, type=_Asr))
            case Endpoint.JOBS:
                result = msgspec.json.decode(content, type=_Result)
                return _recognised(result.text, result.stats)
            case Endpoint.OPENAI | Endpoint.STREAM:
                return Answer(text=msgspec.json.decode(content, type=_Transcription).text)
    except UNDECODABLE as error:
        return failure(UNREADABLE, str(error))


def failure(outcome: str, why: str) -> Answer:
    """An answer without text."""
    return Answer(outcome=outcome, reason=why[:REASON_CHARS])


def reason(content: bytes) -> str:
    """Why a request failed: of `/asr`, of problem details, of OpenAI's error object, or as it came."""
    try:
        said: Any = msgspec.json.decode(content)
        error = said.get("error")
        found = said.get("msg") or said.get("detail") or (error["message"] if error else None)
    except (*UNDECODABLE, AttributeError, KeyError, TypeError):
        found = None
    return str(found or content[:REASON_CHARS].decode(errors="replace"))


def plain(subtitles: str) -> str:
    """What SubRip subtitles say, on one line."""
    return " ".join(_CUE_HEAD.sub("", subtitles).split())


def _of_asr(endpoint: Endpoint, said: _Asr) -> Answer:
    if said.code:
        return failure(UNREADABLE, f"HTTP 200 with code {said.code}")
    return _recognised(plain(said.data) if endpoint is Endpoint.ASR else said.data, said.stats)


def _recognised(text: str, stats: Stats) -> Answer:
    failed, total = stats.failed_segments, stats.total_segments
    if failed:
        return Answer(
            outcome=FAILED_SEGMENTS, reason=f"{failed} of {total} segments", text=text, segments=total
        )
    return Answer(text=text, segments=total)
