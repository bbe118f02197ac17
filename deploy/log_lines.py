"""An event of the log as a line for people."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from monitoring.log_entries import LogEntry

#: Fields with a place of their own.
_PLACED: Final = {"timestamp", "level", "process", "host", "event", "exception", "frames"}

#: Ids are as unmistakable by their first characters, and `--job` takes these.
_IDS: Final = {"job", "request"}
_ID_CHARS: Final = 8

_COLOURS: Final = {"debug": "dim", "warning": "yellow", "error": "bold red", "critical": "bold red"}


class Printer:
    """Prints events as they are, or as lines; with the host from when there is more than one."""

    def __init__(self, console: Console, *, raw: bool) -> None:
        self._console = console
        self._raw = raw
        self._hosts: set[str] = set()

    def show(self, entries: Iterable[LogEntry]) -> None:
        """Print them in the order of their times: the processes send theirs in batches."""
        shown = sorted(entries, key=lambda entry: entry.head.timestamp)
        self._hosts.update(entry.head.host for entry in shown)
        for entry in shown:
            line = Text(entry.line) if self._raw else readable(entry, with_host=len(self._hosts) > 1)
            self._console.print(line, soft_wrap=True)


def readable(entry: LogEntry, *, with_host: bool) -> Text:
    """Time, level, process, event and fields; whatever would not print is escaped."""
    fields: dict[str, Any] = json.loads(entry.line)
    head = entry.head
    colour = _COLOURS.get(head.level, "")
    where = _escaped(f"{head.host}/{head.process}" if with_host else head.process)
    line = Text.assemble(
        (_time(head.timestamp), "dim"),
        (f" {_escaped(head.level):<7} ", colour),
        (f"{where:<12} ", "cyan"),
        (_escaped(head.event, quoted=False), f"bold {colour}" if colour != "dim" else colour),
    )
    for name, value in fields.items():
        if name not in _PLACED:
            shown = value[:_ID_CHARS] if name in _IDS and isinstance(value, str) else value
            line.append(f" {_escaped(name)}=", "dim").append(_escaped(shown))
    if said := fields.get("exception"):
        line.append(f"\n    {_escaped(said, quoted=False)}", colour)
    for frame in fields.get("frames", ()):
        line.append(f"\n      {_escaped(frame, quoted=False)}", "dim")
    return line


def _time(timestamp: str) -> str:
    try:
        at = dt.datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return _escaped(timestamp)
    return at.strftime("%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"


def _escaped(value: object, *, quoted: bool = True) -> str:
    """A value as it is, in quotes if it has spaces; what would move the cursor or change colours is not."""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
        quoted = False
    if value.isprintable() and value and not (quoted and (" " in value or '"' in value)):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())
