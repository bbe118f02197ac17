"""How far what was heard is from what was said."""

import re
from typing import Final

import jiwer

#: Written without spaces, so errors are counted by character.
BY_CHARACTER: Final = {"zh", "ja", "yue"}

#: Their characters: kana and ideographs.
_CHARACTER: Final = re.compile(r"([\u3040-\u30ff\u3400-\u9fff])")

#: Number words and the digits that a recogniser may write for them.
_NUMBERS: Final = {
    word: str(number)
    for words in ("one two three four five six seven eight nine ten", "一 二 三 四 五 六 七 八 九 十")
    for number, word in enumerate(words.split(), 1)
}


def error_rate(language: str, reference: str, heard: str) -> float:
    """Word error rate, or character error rate where words are not separated; case and marks do not count.

    For `auto` it is the mixed error rate of code-switched speech: a character counts as a word where words
    are not separated (Vu et al., ICASSP 2012, for the corpus SEAME).
    """
    reference, heard = _bare(reference), _bare(heard)
    if language in BY_CHARACTER:
        return jiwer.cer(reference.replace(" ", ""), heard.replace(" ", ""))
    if language == "auto":
        reference, heard = _spaced(reference), _spaced(heard)
    return jiwer.wer(reference, heard)


def _bare(text: str) -> str:
    for word, digits in _NUMBERS.items():
        text = re.sub(rf"\b{word}\b" if word.isascii() else word, digits, text, flags=re.IGNORECASE)
    kept = "".join(character if character.isalnum() else " " for character in text.lower())
    return " ".join(kept.split())


def _spaced(text: str) -> str:
    return " ".join(_CHARACTER.sub(r" \1 ", text).split())
