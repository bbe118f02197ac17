"""Events as lines for people."""

import io
import json
from typing import Any

from rich.console import Console

from actors.store.log_stream import Stored
from deploy.log_lines import Printer, readable
from monitoring.log_entries import LogEntry, read

EVENT = {
    "timestamp": "2026-01-01T12:00:00.123456Z",
    "event": "job.ended",
    "level": "info",
    "process": "instance-1",
    "host": "one",
}


def entry(**fields: Any) -> LogEntry:
    """An event with these fields."""
    return next(iter(read([Stored("1-0", json.dumps(EVENT | fields).encode())])))


def line(**fields: Any) -> str:
    """It, without its time."""
    return readable(entry(**fields), with_host=False).plain.partition(" ")[2].partition(" ")[2]


def printed(*entries: LogEntry, raw: bool = False) -> list[str]:
    """What is printed of these."""
    out = io.StringIO()
    Printer(Console(file=out, highlight=False, width=20), raw=raw).show(entries)
    return out.getvalue().splitlines()


def test_a_line() -> None:
    """Level, process, event, fields; of ids so much as is needed."""
    shown = line(job="0b4f66aa" * 4, took_ms=1.5, last=True, reason="it broke")

    assert shown == 'info    instance-1   job.ended job=0b4f66aa took_ms=1.5 last=true reason="it broke"'


def test_what_would_move_the_cursor_is_escaped() -> None:
    """A terminal does nothing but show it; other scripts stay as they are."""
    assert line(reason="\x1b[2Jgone").endswith(r'reason="\u001b[2Jgone"')
    assert line(reason="听不清").endswith("reason=听不清")


def test_an_exception_has_lines_of_its_own() -> None:
    """What it says, and where it was raised."""
    shown = line(exception="KeyError: 'k'", frames=["api/app.py:3 go"]).splitlines()

    assert shown[1:] == ["    KeyError: 'k'", "      api/app.py:3 go"]


def test_the_host_is_shown_when_there_is_more_than_one() -> None:
    """One machine needs no name; events are in the order of their times, on a line each."""
    late, early = entry(), entry(timestamp="2026-01-01T11:00:00Z", host="two")

    assert " instance-1 " in printed(late)[0]
    assert ["one/instance-1" in shown for shown in printed(late, early)] == [False, True]
    assert "two/instance-1" in printed(late, early)[0]


def test_as_it_was_logged() -> None:
    """JSON for programs."""
    assert [json.loads(shown) for shown in printed(entry(text="[b]"), raw=True)] == [EVENT | {"text": "[b]"}]
