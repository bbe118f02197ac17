# ruff: noqa: RUF001 (marks that look alike are its subject)
"""Punctuation goes, words and numbers stay whole."""

import itertools

import pytest

from actors.engines.base import Hypothesis
from actors.punctuation import unpunctuated, without_punctuation
from actors.records import Word

CASES = {
    "": "",
    "...": "",
    "nothing to do": "nothing to do",
    "  many   spaces ": "many spaces",
    "Hello, world.": "Hello world",
    "Hello,world! Why?": "Hello world Why",
    "Wait... what?!": "Wait what",
    "¿Qué tal? ¡Bien!": "Qué tal Bien",
    "«Oui», dit-il.": "Oui dit-il",
    "yes — no, yes–no": "yes no yes no",
    "a well-known, well--known (un)known": "a well-known well known un known",
    "don't 'quote' the dogs' rock’n’roll": "don't quote the dogs rock’n’roll",
    "At 9 a.m. go to example.com.": "At 9 a.m go to example.com",
    "and/or, https://x.org/a_b_": "and/or https x.org/a_b",
    "AT&T paid 50%, R & D #1, me@x.org.": "AT&T paid 50% R & D #1 me@x.org",
    "$3.14, 1,000.50. At 10:30, 1, 2.": "$3.14 1,000.50 At 10:30 1 2",
    "1990–2000: 555-1234, 9/11.": "1990–2000 555-1234 9/11",
    "It is -5, (-5), - 5, -.5 or .5.": "It is -5 -5 5 -.5 or .5",
    "..5 --5 3.": "5 5 3",
    "a+b=c <|x|> ♪ ~": "a+b=c <|x|> ♪ ~",
    "你好，世界。": "你好世界",
    "你好,世界.再见'吧": "你好世界再见吧",
    "你好， 世界": "你好 世界",
    "他说：“3.14，对吗？”在10：30。": "他说 3.14 对吗在10：30",
    "《三体》、〈地球〉……——完": "三体地球完",
    "中文，English，中文": "中文 English 中文",
    "达到50％。T-恤": "达到50％ T-恤",
    "ジョン・スミス、「はい」。": "ジョン・スミスはい",
    "人々、々": "人々々",
    "안녕하세요, 여러분.안녕！네": "안녕하세요 여러분 안녕 네",
}

#: Every kind of character that the rules tell apart.
KINDS = "a5中 .-',_%・，"


@pytest.mark.parametrize("text", CASES)
def test_without_punctuation(text: str) -> None:
    """What goes, what stays, and where a space is left."""
    assert without_punctuation(text) == CASES[text]


@pytest.mark.parametrize("text", CASES)
def test_twice_is_once(text: str) -> None:
    """A text without punctuation stays as it is."""
    assert without_punctuation(CASES[text]) == CASES[text]


def test_twice_is_once_whatever_stands_together() -> None:
    """Nothing that stays depends on what goes."""
    for characters in itertools.product(KINDS, repeat=5):
        once = without_punctuation("".join(characters))
        assert without_punctuation(once) == once, characters


def test_words() -> None:
    """Words keep their times, and those that were punctuation only are dropped."""
    heard = Hypothesis(
        text="“Don't,” — 你好。",
        language="en",
        emotion="happy",
        event="speech",
        words=(Word("“Don't,”", 0, 10), Word("—", 10, 20), Word("你", 20, 30), Word("好。", 30, 40)),
    )

    assert unpunctuated(heard) == Hypothesis(
        text="Don't 你好",
        language="en",
        emotion="happy",
        event="speech",
        words=(Word("Don't", 0, 10), Word("你", 20, 30), Word("好", 30, 40)),
    )


def test_no_words() -> None:
    """An engine that knows no words still knows none."""
    assert unpunctuated(Hypothesis(text="Hi.", language="en")) == Hypothesis(text="Hi", language="en")
