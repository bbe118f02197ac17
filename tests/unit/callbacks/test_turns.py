"""A receiver is tried by a few at once."""

from actors.callbacks.turns import AT_ONCE, Turns


def test_no_more_than_a_few() -> None:
    """Whoever comes then is told so; who is done makes room, and who got no turn does not."""
    turns = Turns()
    assert AT_ONCE == 2
    with turns.turn("a") as first:
        with turns.turn("a") as second, turns.turn("a") as third, turns.turn("b") as other:
            assert (first, second, third, other) == (True, True, False, True)
        with turns.turn("a") as next_one, turns.turn("a") as last:
            assert (next_one, last) == (True, False)


def test_nothing_is_kept() -> None:
    """Receivers come and go."""
    turns = Turns()
    with turns.turn("a"), turns.turn("a"), turns.turn("a"):
        pass

    assert not turns._taken
