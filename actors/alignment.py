# ruff: noqa: RUF001 (marks that look alike are its subject)
"""Where in a text each of its words stands."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from actors.records import Word

#: A rare character, spelled in bytes, is in the text but in no word; so many in a row may be.
_WORDLESS: Final = 4

_OPENING: Final = "([{（［｛「『【《〈“‘«¿¡"


class Span(Struct, frozen=True, array_like=True):
    """A word's place in the text, from its first letter to behind its last; marks around it do not count."""

    start: int
    end: int


def align(text: str, words: Sequence[Word]) -> list[Span] | None:
    """The places of the words, in their order; None if the text is not made of these words.

    Spaces, punctuation and case make no difference. A word without letters has an empty place.
    """
    letters = [(folded, place) for place, letter in enumerate(text) for folded in _heard(letter)]
    heard = "".join(folded for folded, _ in letters)
    spans: list[Span] = []
    done = end = 0
    for word in words:
        sought = "".join(map(_heard, word.text))
        at = heard.find(sought, done, done + len(sought) + _WORDLESS)
        if at < 0:
            return None
        done = at + len(sought)
        start, end = (letters[at][1], letters[done - 1][1] + 1) if sought else (end, end)
        spans.append(Span(start, end))
    return spans if len(heard) - done <= _WORDLESS else None


def shares(text: str, spans: Sequence[Span]) -> list[Span]:
    """The text divided among the words: a mark is the word's before it, unless it opens what follows."""
    cuts = [before.end + _closing(text[before.end : after.start]) for before, after in pairwise(spans)]
    return [Span(start, end) for start, end in pairwise([0, *cuts, len(text)])]


def _closing(gap: str) -> int:
    """How many of the characters between two words are the first one's."""
    closing, space, _ = gap.rpartition(" ")
    return len(closing + space) if space else len(gap.rstrip(_OPENING))


def _heard(letter: str) -> str:
    """The character without case; nothing if it is a mark or a space."""
    return "" if unicodedata.category(letter)[0] in "PZC" else letter.casefold()
