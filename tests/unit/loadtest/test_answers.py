"""What an answer is worth."""

import msgspec
import pytest

from loadtest.load.answers import Answer, judge, plain, reason
from loadtest.plan import Endpoint

SRT = "1\n00:00:00,330 --> 00:00:03,120\nHello,\nworld.\n\n2\n00:00:04,000 --> 00:00:05,000\n2026\n"


def stats(failed: int = 0) -> dict[str, float]:
    """Of two segments."""
    return {
        "total_segments": 2,
        "successful_segments": 2 - failed,
        "failed_segments": failed,
        "success_rate": 1,
    }


def asr(data: str, *, code: int = 0, failed: int = 0) -> bytes:
    """An answer of `/asr`."""
    return msgspec.json.encode({"code": code, "msg": "ok", "data": data, "stats": stats(failed)})


@pytest.mark.parametrize(
    ("endpoint", "content", "text", "segments"),
    [
        ("asr", asr(SRT), "Hello, world. 2026", 2),
        ("asr", asr(""), "", 2),
        ("asr_simple", asr("Hello, world."), "Hello, world.", 2),
        ("jobs", msgspec.json.encode({"text": "Hello.", "stats": stats(), "segments": []}), "Hello.", 2),
        ("openai", b'{"text": "Hello.", "usage": {}}', "Hello.", 0),
    ],
)
def test_a_text(endpoint: str, content: bytes, text: str, segments: int) -> None:
    """What was said, without cues."""
    assert judge(Endpoint(endpoint), 200, content) == Answer(text=text, segments=segments)


@pytest.mark.parametrize(
    ("status", "content", "outcome", "why"),
    [
        (429, b'{"code": 429, "msg": "too much audio is waiting"}', "429", "too much audio is waiting"),
        (503, b'{"status": 503, "detail": "no instance is ready"}', "503", "no instance is ready"),
        (400, b'{"error": {"message": "language: unknown", "type": "x"}}', "400", "language: unknown"),
        (502, b"<html>Bad Gateway</html>", "502", "<html>Bad Gateway</html>"),
        (200, b"<html>", "unreadable answer", "JSON is malformed"),
        (200, asr("cafe").replace(b"cafe", b"caf\xe9"), "unreadable answer", "utf-8"),
        (500, b'{"detail": "caf\xe9"}', "500", "caf"),
        (200, b'{"code": 0}', "unreadable answer", "missing required field"),
        (200, asr("", code=7), "unreadable answer", "code 7"),
        (200, asr(SRT, failed=1), "failed segments", "1 of 2"),
    ],
)
def test_an_error(status: int, content: bytes, outcome: str, why: str) -> None:
    """Its class, and the reason that was given."""
    answer = judge(Endpoint.ASR, status, content)

    assert answer.outcome == outcome
    assert why in answer.reason


def test_reasons_are_short() -> None:
    """However much a server says."""
    assert len(judge(Endpoint.ASR, 500, b"x" * 5_000).reason) == 200
    assert reason(b"[]") == "[]"


def test_subtitles_of_numbers() -> None:
    """What was said may look like the number of a cue."""
    assert plain("1\n00:00:00,000 --> 00:00:01,000\n12\n34\n") == "12 34"
