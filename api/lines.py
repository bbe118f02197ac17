# ruff: noqa: RUF001 (marks that look alike are its subject)
"""Text in lines as subtitles have them, by the width that it has on a screen."""

import unicodedata
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Final

from api.partition import cheapest

#: Columns of a line; a character of Chinese, Japanese or Korean takes two, so 20 of them are a line.
_COLUMNS: Final = 42
_WIDE_COLUMNS: Final = 40

#: East Asian widths of characters that take two columns.
_WIDE: Final = {"W", "F"}

#: Hangul has spaces between words.
_HANGUL: Final = ("\u1100\u11ff", "\u3130\u318f", "\ua960\ua97f", "\uac00\ud7ff")

#: No line begins with small kana and marks of length or repetition, nor with any closing mark.
_NEVER_FIRST: Final = set("ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶーｰ々〻ゝゞヽヾ%％℃°")
_OPENING: Final = {"Ps", "Pi"}
_NEVER_LAST: Final = _OPENING | {"Cf"}
_ATTACHED: Final = {"Mn", "Me", "Cf"}

#: What a line costs by itself: more than any free columns, so that there are as few lines as can be.
_LINE: Final = 1_000_000
#: What a line's end costs within a clause: at a space, or where none tells whether it is within a word.
_AT_SPACE: Final = 100
_WITHIN_CLAUSE: Final = 300

SENTENCE_ENDS: Final = ".?!…。．？！｡"
CLAUSE_ENDS: Final = SENTENCE_ENDS + ",;:，、；：､—"
_QUOTES: Final = "\"')]}’”»）］｝」』】》〉"


def unspaced(character: str) -> bool:
    """Whether a character is of a script without spaces between words, or a mark of one."""
    hangul = any(first <= character <= last for first, last in _HANGUL)
    return _is_wide(character) and not hangul


def width(text: str) -> int:
    """Columns of a text: none of a character that only changes another, two of a wide one, else one."""
    return sum(2 if _is_wide(character) else not _is_attached(character) for character in text)


def columns(text: str) -> int:
    """Columns that a line of such a text may have."""
    return _WIDE_COLUMNS if any(map(_is_wide, text)) else _COLUMNS


def ends_with(text: str, marks: str) -> bool:
    """Whether a text ends with one of the marks, quotes and brackets behind it aside."""
    return text.rstrip().rstrip(_QUOTES).endswith(tuple(marks))


def pieces(text: str) -> list[str]:
    """The text divided wherever a line may end; a space is at the end of its piece."""
    cuts = [place for place in range(1, len(text)) if _may_break(text[place - 1], text[place])]
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def wrap(text: str) -> tuple[str, ...]:
    """The text in as few lines as can be, of about the same width, ended at marks where possible."""
    limit = columns(text)
    parts = [part for piece in pieces(text) for part in _short_enough(piece, limit)]
    before = [0, *accumulate(map(width, parts))]

    def taken(start: int, end: int) -> int:
        return before[end] - before[start] - parts[end - 1].endswith(" ")

    def ends(start: int) -> Iterator[int]:
        yield start + 1
        for end in range(start + 2, len(parts) + 1):
            if taken(start, end) > limit:
                break
            yield end

    def cost(start: int, end: int) -> float:
        last = 0 if end == len(parts) else _end_cost(parts[end - 1])
        return _LINE + (limit - taken(start, end)) ** 2 + last

    runs = cheapest(len(parts), ends, cost)
    return tuple("".join(parts[start:end]).strip() for start, end in runs)


def _end_cost(part: str) -> float:
    """How much a line that ends behind this part disturbs the reader."""
    if ends_with(part, CLAUSE_ENDS):
        return 0
    return _AT_SPACE if part.endswith(" ") else _WITHIN_CLAUSE


def _may_break(before: str, after: str) -> bool:
    """Whether a line may end between two characters."""
    if before == " " or after == " ":
        return after != " "
    if not (unspaced(before) or unspaced(after)):
        return False
    return not (
        after in _NEVER_FIRST
        or _is_attached(after)
        or (unicodedata.category(after)[0] == "P" and unicodedata.category(after) not in _OPENING)
        or unicodedata.category(before) in _NEVER_LAST
    )


def _short_enough(piece: str, limit: int) -> Iterator[str]:
    """A piece, in parts where it is wider than a line."""
    start = taken = 0
    for place, character in enumerate(piece):
        added = width(character)
        if added and character != " " and taken + added > limit:
            yield piece[start:place]
            start, taken = place, 0
        taken += added
    yield piece[start:]


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in _WIDE


def _is_attached(character: str) -> bool:
    """Whether a character only changes the one before it: accents and joiners."""
    return unicodedata.category(character) in _ATTACHED
