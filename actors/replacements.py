# ruff: noqa: RUF001 (marks that look alike are its subject)
"""What a model mishears, put right by a table that comes with the request."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from actors.alignment import Span, align, shares
from actors.engines.base import Hypothesis
from actors.errors import BadOption
from actors.punctuation import EAST_ASIAN
from actors.records import Replacement, Word

MAX_PAIRS: Final = 200
#: Of a pair, the sign between its sides included.
MAX_CHARS: Final = 100

#: A letter or digit of a script that has spaces between words and adds nothing to their ends.
#: Its case makes no difference, and to say so makes large tables three times as fast to compile.
_LETTER: Final = rf"(?-i:[^\W{EAST_ASIAN}])"

_SEPARATOR: Final = re.compile(r"[,\r\n]")


class BadReplacements(BadOption):
    """A replacement table cannot be read; the message names the pair at fault."""

    def __init__(self, message: str) -> None:
        super().__init__("replace", message)


class Found(msgspec.Struct, frozen=True):
    """A place in a text, and what shall stand there."""

    span: Span
    right: str


def parse(table: str) -> tuple[Replacement, ...]:
    """A table's pairs `misheard=right`, one a line or separated by commas; spaces around them do not count.

    Raises:
        BadReplacements: a pair lacks a side, is too long or is there twice, or there are too many.
    """
    pairs = [" ".join(pair.split()) for pair in _SEPARATOR.split(table) if pair.strip()]
    if len(pairs) > MAX_PAIRS:
        raise BadReplacements(f"{len(pairs)} pairs; at most {MAX_PAIRS} are taken")
    found: dict[str, Replacement] = {}
    for pair in pairs:
        replacement = _parse_pair(pair)
        if replacement.misheard.casefold() in found:
            raise BadReplacements(f"{pair!r}: {replacement.misheard!r} is replaced already")
        found[replacement.misheard.casefold()] = replacement
    return tuple(found.values())


def corrected(heard: Hypothesis, table: tuple[Replacement, ...]) -> Hypothesis:
    """What was heard with all that the table names put right, in the text and in the words alike.

    Words that are replaced together become one, from the first one's start to the last one's end.
    """
    found = list(_find(heard.text, table)) if table else []
    if not found:
        return heard
    return msgspec.structs.replace(
        heard,
        text=_put(heard.text, Span(0, len(heard.text)), found),
        words=None if heard.words is None else _put_in_words(heard.text, heard.words, found),
    )


def _parse_pair(pair: str) -> Replacement:
    if len(pair) > MAX_CHARS:
        raise BadReplacements(f"{pair[:MAX_CHARS]!r}… has more than {MAX_CHARS} characters")
    misheard, sign, right = (side.strip() for side in pair.partition("="))
    if not (misheard and sign and right):
        raise BadReplacements(f"{pair!r} is no pair such as misheard=right")
    return Replacement(misheard, right)


def _find(text: str, table: tuple[Replacement, ...]) -> Iterator[Found]:
    """At each place the longest that fits; what was put right is not looked at again."""
    longest_first = sorted(table, key=lambda pair: len(pair.misheard), reverse=True)
    for match in _pattern(tuple(pair.misheard for pair in longest_first)).finditer(text):
        yield Found(Span(*match.span()), longest_first[(match.lastindex or 0) - 1].right)


@functools.lru_cache
def _pattern(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    """Finds the first alternative that fits, each in a group of its own."""
    return re.compile("|".join(f"({_whole(words)})" for words in alternatives), re.IGNORECASE)


def _whole(words: str) -> str:
    """Not within a word, where the script has words: `art` is not in `party`, nor `don` in `don't`."""
    before = rf"(?<!{_LETTER})(?<!{_LETTER}['’])" if re.match(_LETTER, words) else ""
    after = rf"(?!['’]?{_LETTER})" if re.match(_LETTER, words[-1]) else ""
    return before + re.escape(words) + after


def _put(text: str, span: Span, found: Sequence[Found]) -> str:
    """A part of the text with what was found in it put right."""
    parts: list[str] = []
    done = span.start
    for each in found:
        parts += [text[done : each.span.start], each.right]
        done = each.span.end
    return "".join([*parts, text[done : span.end]]).strip()


def _put_in_words(text: str, words: tuple[Word, ...], found: Sequence[Found]) -> tuple[Word, ...]:
    """The words with all that was found put right; as they are where the text is not made of them."""
    spans = align(text, words)
    if not spans:
        return words
    together: list[list[tuple[Word, Span]]] = []
    for word, share in zip(words, shares(text, spans), strict=True):
        if any(each.span.start < share.start < each.span.end for each in found):
            together[-1].append((word, share))
        else:
            together.append([(word, share)])
    return tuple(_joined(text, group, found) for group in together)


def _joined(text: str, group: Sequence[tuple[Word, Span]], found: Sequence[Found]) -> Word:
    (first, begin), (last, end) = group[0], group[-1]
    span = Span(begin.start, end.end)
    inside = [each for each in found if span.start <= each.span.start and each.span.end <= span.end]
    return Word(_put(text, span, inside), first.start_ms, last.end_ms) if inside else first
