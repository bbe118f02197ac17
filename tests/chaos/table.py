"""The table of a trial."""

import statistics
from collections.abc import Sequence
from typing import Final

from rich.table import Table

from tests.chaos.ledger import Event, Outcome, counts
from tests.chaos.trial import Result, Round

COLUMNS: Final = (
    "fault",
    "times",
    "back after (median, worst), s",
    "answered",
    "refused",
    "connections retried",
    "jobs lost",
    "wrong texts",
    "leaks",
)


def table(result: Result) -> Table:
    """A row a fault, and one for all; what is left can only be seen in the end."""
    shown = Table(*COLUMNS, box=None, header_style="bold")
    for column in shown.columns[1:]:
        column.justify = "right"
    for name in dict.fromkeys(one.fault for one in result.rounds):
        same = [one for one in result.rounds if one.fault == name]
        events = [event for one in same for event in one.events]
        shown.add_row(name, str(len(same)), _back(same), *_counts(events), "")
    total = _counts(result.events)
    shown.add_row("all", str(len(result.rounds)), _back(result.rounds), *total, str(len(result.leaks)))
    return shown


def _back(rounds: Sequence[Round]) -> str:
    times_s = [one.back_s for one in rounds if one.back_s is not None]
    if len(times_s) < len(rounds) or not times_s:
        return "never"
    return f"{statistics.median(times_s):.1f}, {max(times_s):.1f}"


def _counts(events: Sequence[Event]) -> list[str]:
    found = counts(events)
    return [
        str(found[outcome])
        for outcome in (Outcome.ANSWERED, Outcome.REFUSED, Outcome.BROKEN, Outcome.LOST, Outcome.WRONG)
    ]
