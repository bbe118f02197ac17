# ruff: noqa: RUF001 (marks that look alike are its subject)
"""Words in their text."""

import pytest

from actors.alignment import align, shares
from actors.records import Word

SHARED = (
    # as SenseVoice has them
    ("Hello, world.", "Hello, world.", ("Hello, ", "world.")),
    ("你好，世界。", "你 好， 世 界。", ("你", "好，", "世", "界。")),
    # case and marks make no difference
    ("“Hello” (world)", "hello world", ("“Hello” ", "(world)")),
    ("他说：「好」", "他 说 好", ("他", "说：", "「好」")),
    ("well - known", "well known", ("well - ", "known")),
    ("STRASSE", "straße", ("STRASSE",)),
    # in the text but in no word
    ("你𰻝好", "你 好", ("你𰻝", "好")),
    ("𰻝好", "好", ("𰻝好",)),
    ("好𰻝", "好", ("好𰻝",)),
    # a word without letters
    ("a — b", "a — b", ("a", " — ", "b")),
)


def words(texts: str) -> list[Word]:
    """Words of these texts, each 1 ms long."""
    return [Word(text, start_ms, start_ms + 1) for start_ms, text in enumerate(texts.split())]


@pytest.mark.parametrize(("text", "spoken", "shared"), SHARED)
def test_shares(text: str, spoken: str, shared: tuple[str, ...]) -> None:
    """The text is divided among its words."""
    spans = align(text, words(spoken))

    assert spans is not None
    assert tuple(text[span.start : span.end] for span in shares(text, spans)) == shared


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("a b", "a c"),
        ("a b", "b a"),
        ("a", "a b"),
        ("", "a"),
        ("something quite else", "something"),
        ("another", ""),
    ],
)
def test_another_text(text: str, spoken: str) -> None:
    """A text that is not made of the words has no places for them."""
    assert align(text, words(spoken)) is None
