"""An alert fires once, when its rule was broken for long enough, and resolves once."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts import MOST_UNSENT, Book, Phase, turn
from monitoring.rules import Rule, Severity
from monitoring.snapshot import Snapshot
from tests.doubles.snapshots import busy, quiet

FAILS = Rule(name="fails", quantity="success_rate", below=0.9, for_s=60, summary="it fails")
DOWN = Rule(
    name="down", quantity="healthy_instances", below=5, severity=Severity.CRITICAL, summary="one is down"
)


def told(rule: Rule, looks: Sequence[Snapshot]) -> list[tuple[int, str]]:
    """When what was told of a rule, over some looks."""
    book, said = Book(), []
    for seen in looks:
        book, changed = turn(book, [rule], seen, tell=False)
        said += [(seen.at_ms, alert.state.value) for alert in changed]
    return said


def every_30_s(*rates: float | None) -> list[Snapshot]:
    """Looks at these success rates; None: no requests."""
    return [
        quiet(at * 30_000) if rate is None else busy(at * 30_000, success_rate=rate)
        for at, rate in enumerate(rates)
    ]


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([0.5, 0.5], []),  # not for long enough
        ([0.5, 0.5, 0.5, 0.5], [(60_000, "firing")]),
        ([0.5, 0.5, 1.0, 0.5, 0.5], []),  # it got well in between
        ([0.5, 0.5, 0.5, 1.0, 1.0], [(60_000, "firing"), (90_000, "resolved")]),
        ([None] * 9, []),  # no traffic
        ([0.5, None, None], []),  # no traffic does not make it worse
        ([0.5, None, 0.5], [(60_000, "firing")]),  # nor better, at once
        ([0.5, None, None, None, 0.5, 0.5], []),  # but in the end
        ([0.5, 0.5, 0.5, None, None, None], [(60_000, "firing"), (150_000, "resolved")]),
        ([0.5] * 3 + [1.0] + [0.5] * 3, [(60_000, "firing"), (90_000, "resolved"), (180_000, "firing")]),
    ],
)
def test_fires_and_resolves(rates: list[float | None], said: list[tuple[int, str]]) -> None:
    """Broken for a minute it fires; well, or without traffic for a minute, it resolves."""
    assert told(FAILS, every_30_s(*rates)) == said


def test_at_once() -> None:
    """A rule without a duration fires at the first look."""
    assert told(DOWN, [quiet(0), quiet(1, healthy_instances=4), quiet(2)]) == [(1, "firing"), (2, "resolved")]


@given(st.lists(st.sampled_from([0.5, 1.0, None]), max_size=40))
def test_firing_and_resolved_take_turns(rates: list[float | None]) -> None:
    """Whatever happens, nothing fires twice without having resolved."""
    states = [state for _, state in told(FAILS, every_30_s(*rates))]

    assert states == ["firing", "resolved"] * (len(states) // 2) + ["firing"] * (len(states) % 2)


def test_what_is_told() -> None:
    """Those that fire first, each with what was measured; a pending one is not told."""
    rules = [FAILS, DOWN]
    book, _ = turn(Book(), rules, busy(0, success_rate=0.5, healthy_instances=3), tell=False)

    (alert,) = book.alerts
    assert (alert.name, alert.state, alert.severity) == ("down", Phase.FIRING, Severity.CRITICAL)
    assert (alert.value, alert.threshold, alert.summary) == (3, 5, "one is down")
    assert book.firing == ("down",)


def test_a_rule_that_is_gone() -> None:
    """Its alert that fires resolves once, for the webhook too, and is forgotten; a pending one vanishes."""
    book, _ = turn(Book(), [DOWN, FAILS], busy(0, success_rate=0.5, healthy_instances=4), tell=True)

    resolved, changed = turn(book, [], busy(1, success_rate=0.5, healthy_instances=4), tell=True)
    forgotten, later = turn(resolved, [], quiet(2, healthy_instances=4), tell=True)

    assert [(alert.name, alert.state, alert.since_ms) for alert in changed] == [("down", Phase.RESOLVED, 1)]
    assert [alert.state for alert in resolved.unsent] == [Phase.FIRING, Phase.RESOLVED]
    assert resolved.firing == ()
    assert (forgotten.alerts, later) == ([], [])


def test_a_rule_of_another_version() -> None:
    """What a rule watched may have gone with it: its alert can be read, and resolves."""
    book, _ = turn(Book(), [DOWN], quiet(0, healthy_instances=4), tell=False)
    kept = msgspec.json.encode(book).replace(b'"healthy_instances"', b'"quorum"')

    _, changed = turn(msgspec.json.decode(kept, type=Book), [FAILS], quiet(1), tell=False)

    assert [(alert.state, alert.quantity) for alert in changed] == [(Phase.RESOLVED, "quorum")]


def test_a_rule_that_has_changed() -> None:
    """It is judged by its new threshold."""
    book, _ = turn(Book(), [DOWN], quiet(0, healthy_instances=4), tell=False)
    milder = Rule(name="down", quantity="healthy_instances", below=3, summary="many are down")

    resolved, changed = turn(book, [milder], quiet(1, healthy_instances=4), tell=False)

    assert [alert.state for alert in changed] == [Phase.RESOLVED]
    assert resolved.alerts[0].threshold == 3


def test_what_the_webhook_is_owed() -> None:
    """All that changed, in order; not without end."""
    book = Book()
    for at in range(MOST_UNSENT):
        book, _ = turn(book, [DOWN], quiet(2 * at, healthy_instances=4), tell=True)
        book, _ = turn(book, [DOWN], quiet(2 * at + 1), tell=True)

    assert len(book.unsent) == MOST_UNSENT
    assert [alert.state for alert in book.unsent[-2:]] == [Phase.FIRING, Phase.RESOLVED]


def test_a_monitor_that_is_silent() -> None:
    """Three looks may be missed, and some seconds more; before the first look nothing is known."""
    book, _ = turn(Book(interval_s=30), [DOWN], quiet(1_000_000), tell=False)

    assert not book.is_stale(1_100_000)
    assert book.is_stale(1_100_001)
    assert Book().is_stale(1_000_000)
