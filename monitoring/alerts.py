"""When an alert fires and when it resolves: a pure function of what was known and what is seen now."""

import enum
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from monitoring.quantities import QUANTITIES
from monitoring.rules import Rule, Severity
from monitoring.snapshot import Snapshot

#: A webhook that does not answer is owed no more than this; beyond it the oldest are forgotten.
MOST_UNSENT: Final = 100

#: A monitor that has missed so many looks, and as long as one may take, judges no more.
MISSED_LOOKS: Final = 3
LONGEST_LOOK_S: Final = 10


class Phase(enum.StrEnum):
    """Where a rule that was broken stands; of one that was not for long, nothing is kept."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Standing(Struct, frozen=True, kw_only=True):
    """How a rule stands."""

    rule: Rule
    phase: Phase
    #: When it came to stand so: was first broken, fired, or was resolved.
    since_ms: int
    #: When it was broken last.
    broken_ms: int
    #: The quantity then, or that with which it was resolved; null where that said nothing.
    value: float | None


class Alert(Struct, frozen=True, kw_only=True):
    """An alert as the outside is told of it."""

    name: str
    severity: Severity
    #: `firing` or `resolved`.
    state: Phase
    #: When it fired or was resolved, Unix milliseconds.
    since_ms: int
    #: The quantity that the rule watches, its threshold, and how it was last.
    quantity: str
    value: float | None
    threshold: float
    summary: str


class Book(Struct, frozen=True):
    """How all rules stand, when that was judged, and what the webhook has not been told yet; oldest first."""

    standings: dict[str, Standing] = {}
    unsent: tuple[Alert, ...] = ()
    #: When they were judged last, and the pause until the next time; 0: never.
    judged_ms: int = 0
    interval_s: int = 0

    def is_stale(self, now_ms: int) -> bool:
        """Whether the monitor judges no more, so that nobody knows whether an alert should fire."""
        return now_ms - self.judged_ms > (MISSED_LOOKS * self.interval_s + LONGEST_LOOK_S) * 1000

    @property
    def alerts(self) -> list[Alert]:
        """Those that fire and those that were resolved last, the worst and latest first."""
        told = [alert_of(one) for one in self.standings.values() if one.phase is not Phase.PENDING]
        return sorted(told, key=lambda alert: (alert.state, alert.severity, -alert.since_ms))

    @property
    def firing(self) -> tuple[str, ...]:
        """The names of those that fire."""
        return tuple(alert.name for alert in self.alerts if alert.state is Phase.FIRING)


def turn(book: Book, rules: Sequence[Rule], seen: Snapshot, *, tell: bool) -> tuple[Book, list[Alert]]:
    """The next page of the book, and what has fired or resolved with it; `tell`: there is a webhook."""
    judged = {
        rule.name: judge(rule, book.standings.get(rule.name), QUANTITIES[rule.quantity](seen), seen.at_ms)
        for rule in rules
    }
    # Of a rule that is gone nothing is left but the end of its alert.
    gone = {
        name: replace(before, phase=Phase.RESOLVED, since_ms=seen.at_ms, value=None)
        for name, before in book.standings.items()
        if name not in judged and before.phase is Phase.FIRING
    }
    standings = {name: standing for name, standing in (judged | gone).items() if standing is not None}
    changed = [
        alert_of(standing)
        for name, standing in standings.items()
        if standing.phase is not Phase.PENDING and standing.phase is not _phase(book.standings.get(name))
    ]
    unsent = (*book.unsent, *changed)[-MOST_UNSENT:] if tell else ()
    return replace(book, standings=standings, unsent=unsent, judged_ms=seen.at_ms), changed


def judge(rule: Rule, before: Standing | None, value: float | None, now_ms: int) -> Standing | None:
    """How a rule stands now; None where there is nothing to say of it."""
    phase = _phase(before)
    if value is None and before and phase in {Phase.PENDING, Phase.FIRING}:
        if now_ms - before.broken_ms <= rule.for_s * 1000:
            return replace(before, rule=rule)
    elif value is not None and rule.broken_by(value):
        if before and phase is Phase.FIRING:
            return replace(before, rule=rule, broken_ms=now_ms, value=value)
        began_ms = before.since_ms if before and phase is Phase.PENDING else now_ms
        fires = now_ms - began_ms >= rule.for_s * 1000
        return Standing(
            rule=rule,
            phase=Phase.FIRING if fires else Phase.PENDING,
            since_ms=now_ms if fires else began_ms,
            broken_ms=now_ms,
            value=value,
        )
    if before and phase is Phase.FIRING:
        return replace(before, rule=rule, phase=Phase.RESOLVED, since_ms=now_ms, value=value)
    return before if phase is Phase.RESOLVED else None


def alert_of(standing: Standing) -> Alert:
    """What is told of a rule that fires or is resolved."""
    rule = standing.rule
    return Alert(
        name=rule.name,
        severity=rule.severity,
        state=standing.phase,
        since_ms=standing.since_ms,
        quantity=rule.quantity,
        value=standing.value,
        threshold=rule.threshold,
        summary=rule.summary,
    )


def _phase(standing: Standing | None) -> Phase | None:
    return standing.phase if standing else None
