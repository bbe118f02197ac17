"""Which of those that wait are in the next batch."""

from actors.batcher import MOST_PASSED, Limits, choose
from tests.doubles.batches import LIMITS, request


def test_the_oldest_is_in_the_next_batch() -> None:
    """Beside it go those of about its length, so nobody waits for ever and little is padded."""
    waiting = [request(9), request(1), request(8), request(2), request(10)]

    assert [r.audio_s for r in choose(waiting, LIMITS)] == [8, 9, 10]
    assert LIMITS.length_s(choose(waiting, LIMITS)) == 30


def test_without_padding_the_oldest_go_first() -> None:
    """Their lengths are added up, and nobody is passed for the sake of the batch."""
    limits = Limits(rows=8, audio_s=12.0, padded=False)
    waiting = [request(9), request(1), request(8), request(2), request(10)]

    assert [r.audio_s for r in choose(waiting, limits)] == [1, 2, 9]
    assert limits.length_s(choose(waiting, limits)) == 12


def test_only_the_urgent_pass_more_than_once() -> None:
    """Who has been passed goes next, in order of arrival, and who would pass it again does not."""
    first, odd, young = request(1), request(20), request(1)
    passed = {odd: MOST_PASSED}

    assert choose([first, odd, young], LIMITS) == [first, young]
    assert choose([first, odd, young], LIMITS, passed) == [first]
    assert choose([odd, first, young], LIMITS, passed) == [odd]
    patient = request(20, urgent=False)
    assert choose([first, patient, young], LIMITS, {patient: MOST_PASSED}) == [first, young]


def test_urgent_ones_go_first() -> None:
    """Segments of short recordings overtake those of long ones that came before."""
    waiting = [request(10, urgent=False), request(2, urgent=False), request(3), request(14)]

    assert [r.audio_s for r in choose(waiting, LIMITS)] == [3, 14]


def test_a_suspect_goes_alone() -> None:
    """Whoever may kill the process takes nobody along, and joins nobody."""
    suspect = request(1, alone=True)

    assert choose([suspect, request(1)], LIMITS) == [suspect]
    assert suspect not in choose([request(1), suspect, request(1)], LIMITS)
