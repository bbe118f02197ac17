"""Shown output is compared with what is printed."""

import pytest

from tests.book.console import Names, commands
from tests.book.pages import Fence


def test_commands() -> None:
    """A command is behind `$ `, goes on behind a backslash, and what it prints follows."""
    fence = Fence("p.md:1", "console", "$ one\n1\n\n2\n$ two \\\n  more\n$ three")

    assert [(command.line, command.shown) for command in commands(fence)] == [
        ("one", "1\n\n2"),
        ("two \\\n  more", ""),
        ("three", ""),
    ]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a b", "a b\n"),
        ("1 of 1, … s", "1 of 1, 0.6 s"),
        ("…\nlast", "first\nsecond\nlast"),
        ("…\nlast", "last"),
        ("first\n…", "first\nsecond\n\nthird"),
        ("a b", "  a   b  \n"),
        ('{"id":"0b4f…"} 0b4f…', '{"id":"abc123"} abc123'),
        ("key qk_… ends", "key qk_a-b_c ends"),
    ],
)
def test_fits(shown: str, printed: str) -> None:
    """Word for word, but for `…`."""
    assert Names().fits(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a b", "a c"),
        ("a", "a\nb"),
        ("1 of 1, … s", "1 of 2, 0.6 s"),
        ("a … c", "a\nc"),
        ("…\nlast", "first\nlast one"),
        ("0b4f… 0b4f…", "abc def"),
        ("a.c", "abc"),
    ],
)
def test_does_not_fit(shown: str, printed: str) -> None:
    """Anything else is a mistake of the page."""
    assert not Names().fits(shown, printed)


def test_names() -> None:
    """What an id is called in output, it is called in later commands and output."""
    names = Names()

    assert names.fits('{"id":"0b4f…"}', '{"id":"abc123"}')
    assert names.put_in("curl /jobs/0b4f…/result") == "curl /jobs/abc123/result"
    assert not names.fits("job 0b4f…", "job other")
