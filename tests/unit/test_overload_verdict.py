"""What is said of an overload."""

from msgspec.structs import replace

from loadtest.plan import Plan
from loadtest.records import Sample
from tests.doubles.runs import refused, run, sample
from tests.overload.probe import Asked
from tests.overload.verdict import Found, broken, found

TIMEOUT_S = 30

ALONE = [Asked(0, 200, 0.2)] * 3


def seen(*samples: Sample, beside: tuple[Asked, ...] = (), left: int = 0) -> Found:
    """Of a run of ten seconds from the moment 0."""
    plan = Plan(rate_per_s=10, duration_s=10)
    return found(run(samples, plan=plan, began_ms=0), 1.0, ALONE, beside, left)


AFTER = (Asked(9_000, 429, 0.01), Asked(11_000, 200, 3.0), Asked(14_000, 200, 0.3), Asked(15_000, 200, 0.2))
GOOD = seen(sample(1, 12), refused(2), beside=AFTER)


def test_promises_that_are_kept() -> None:
    """A lone request that takes about as long as before counts by when it was sent."""
    assert GOOD.back_s == 4.0
    assert GOOD.outcomes == {"ok": 4, "429": 2}
    assert broken(GOOD, TIMEOUT_S) == []


def test_promises_that_are_not() -> None:
    """Each by itself."""
    late = (Asked(21_000, 200, 0.2),)
    cases = [
        (seen(sample(1, 21), refused(2), beside=AFTER), "accepted requests took 21.0 s"),
        (seen(sample(1, 1), sample(2, 2, status=429, outcome="429"), beside=AFTER), "refusals took 2.00 s"),
        (seen(sample(1, 1), beside=AFTER[1:]), "nothing was refused"),
        (seen(refused(2), beside=AFTER), "nothing was accepted"),
        (seen(sample(1, 1), refused(2), sample(3, 1, status=504, outcome="504"), beside=AFTER), "{'504': 1}"),
        (seen(sample(1, 1), refused(2), beside=late), "within 10 s: 11.0"),
        (seen(sample(1, 1), refused(2)), "within 10 s: None"),
        (replace(GOOD, left=3), "3 jobs have not ended"),
    ]
    for case, sentence in cases:
        (said,) = broken(case, TIMEOUT_S)
        assert sentence in said
