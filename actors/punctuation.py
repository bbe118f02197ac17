# ruff: noqa: RUF001, RUF003 (marks that look alike are its subject)
"""Text without its punctuation, as captions and comparisons want it."""

import re
import unicodedata
from typing import Final

import msgspec

from actors.engines.base import Hypothesis

#: A letter or a digit; `\w` has the underscore as well, which is punctuation.
_BEFORE, _AFTER = r"(?<=[^\W_])", r"(?=[^\W_])"

#: Written without spaces between words, and so likely to have a Latin full stop or quote between sentences.
EAST_ASIAN: Final = "\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"

#: Punctuation by its Unicode category only, or by its place: it is part of a word or a number.
_PART_OF_A_WORD: Final = re.compile(
    "|".join(
        (
            "[%‰&@#§′″％＆＠＃]",
            r"(?<=\d)[.,:．：–〜](?=\d)",  # 3.14  1,000  10:30  1990–2000
            rf"{_BEFORE}[-‐‑/_·・]{_AFTER}",  # well-known  and/or  col·lecció  ジョン・スミス
            rf"{_BEFORE}(?<![{EAST_ASIAN}])['’.](?![{EAST_ASIAN}]){_AFTER}",  # don't  p.m  example.com
            r"(?<![\w.-])-(?=\.?\d)",  # -5
            r"(?<![\w.])\.(?=\d)",  # .5
        )
    )
)

#: Where punctuation was.
_GONE: Final = "\n"

#: Han, Hiragana and Katakana run on without it; between other words it leaves a space.
_RUN_ON: Final = "\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_RUN_ON_GAP: Final = re.compile(rf"(?<=[{_RUN_ON}]){_GONE}+(?=[{_RUN_ON}])")


def without_punctuation(text: str) -> str:
    """The text without punctuation, but with what belongs to a word or a number: `don't`, `3.14`, `50%`.

    Spaces are collapsed. Doing it twice changes nothing.
    """
    text = " ".join(text.split())
    kept = {found.start() for found in _PART_OF_A_WORD.finditer(text)}
    bare = "".join(
        _GONE if _is_punctuation(character) and place not in kept else character
        for place, character in enumerate(text)
    )
    return " ".join(_RUN_ON_GAP.sub("", bare).split())


def unpunctuated(heard: Hypothesis) -> Hypothesis:
    """What was heard without punctuation, words that were nothing else left out."""
    if heard.words is None:
        return msgspec.structs.replace(heard, text=without_punctuation(heard.text))
    bare = (msgspec.structs.replace(word, text=without_punctuation(word.text)) for word in heard.words)
    return msgspec.structs.replace(
        heard, text=without_punctuation(heard.text), words=tuple(word for word in bare if word.text)
    )


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
