"""Which events are wanted."""

import json

import pytest

from actors.store.log_stream import Stored
from monitoring.log_entries import LogEntry, LogFilter, read


def entry(**fields: str) -> LogEntry:
    """An event with these fields."""
    event = {"timestamp": "", "event": "a.b", "level": "info", "process": "api", "host": "h"} | fields
    return next(iter(read([Stored("1-0", json.dumps(event).encode())])))


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (LogFilter(), True),
        (LogFilter(level="warning"), True),
        (LogFilter(level="error"), False),
        (LogFilter(process="instance-1"), True),
        (LogFilter(process="instance"), True),
        (LogFilter(process="inst"), False),
        (LogFilter(process="instance-11"), False),
        (LogFilter(process="api"), False),
        (LogFilter(job="0b4f"), True),
        (LogFilter(job="b4f"), False),
        (LogFilter(level="error", job="0b4f"), False),
    ],
)
def test_filters(wanted: LogFilter, *, passes: bool) -> None:
    """Least level, process or kind of process, beginning of the job's id; all of them together."""
    assert wanted.passes(entry(level="warning", process="instance-1", job="0b4f66")) is passes


def test_instance_1_is_not_instance_11() -> None:
    """A name is not the beginning of another."""
    assert not LogFilter(process="instance-1").passes(entry(process="instance-11"))


def test_a_request_is_of_its_job() -> None:
    """Also what it logs before there is a job."""
    assert LogFilter(job="0b4f").passes(entry(request="0b4f66"))


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"event":"a.b"}', b"\xff"])
def test_what_is_no_event_is_left_out(line: bytes) -> None:
    """Whoever wrote it: the others are shown."""
    assert list(read([Stored("1-0", line)])) == []
