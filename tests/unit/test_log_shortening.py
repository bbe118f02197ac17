"""What goes to the stream is small, and says what is needed."""

import sys
from typing import Any

import pytest

from actors.log_shortening import MOST_CHARS, MOST_FRAMES, shorten


def shortened(**event: Any) -> dict[str, Any]:
    """The event as the stream has it."""
    return dict(shorten(None, "", {"event": "a.b", **event}))


def test_long_texts_are_cut() -> None:
    """Also within a table; what is short stays as it is."""
    long = "x" * 10_000

    event = shortened(reason=long, ill={"instance-1": long}, took_ms=1.5, last=True, waited_ms=None)

    assert event["reason"] == event["ill"]["instance-1"] == "x" * MOST_CHARS + "…"
    assert (event["took_ms"], event["last"], event["waited_ms"]) == (1.5, True, None)


def dive(depth: int) -> None:
    """Fail deep down."""
    if depth:
        dive(depth - 1)
    raise OSError("the ground")


def fail() -> None:
    """Fail because of it."""
    try:
        dive(50)
    except OSError as error:
        raise RuntimeError("it broke") from error


def test_a_traceback_becomes_its_innermost_places() -> None:
    """And what led to what becomes one line."""
    with pytest.raises(RuntimeError) as raised:
        fail()

    event = shortened(exc_info=raised.value)
    deep = shortened(exc_info=raised.value.__cause__)

    assert event["exception"] == "RuntimeError: it broke from OSError: the ground"
    assert len(deep["frames"]) == MOST_FRAMES
    assert deep["frames"][-1].startswith("tests/unit/test_log_shortening.py:")
    assert deep["frames"][-1].endswith(" dive")


@pytest.mark.parametrize("form", ["true", "tuple"])
def test_ways_to_name_an_exception(form: str) -> None:
    """As structlog names it, and as logging does."""
    event = {}
    try:
        dive(0)
    except OSError:
        event = shortened(exc_info=True if form == "true" else sys.exc_info())

    assert event["exception"] == "OSError: the ground"
    assert "exc_info" not in event


def test_without_an_exception() -> None:
    """Nothing is added."""
    assert shortened(exc_info=None) == {"event": "a.b"}
