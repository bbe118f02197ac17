# ruff: noqa: RUF001 (marks that look alike are its subject)
"""What a model mishears is put right by the client's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engines.base import Hypothesis
from actors.records import Replacement, Word
from actors.replacements import MAX_CHARS, MAX_PAIRS, BadReplacements, corrected, parse

TEXTS = {
    # whole words, in any case
    ("art=craft", "Art and party art."): "craft and party craft.",
    ("don=Dawn, t=tea", "don't tell Don"): "don't tell Dawn",
    ("quin tet=Quintet", "The Quin Tet, quin-tet."): "The Quintet, quin-tet.",
    ("a b=X, a b c=Y", "a b c a b"): "Y X",
    ("a=b, b=a", "a b"): "b a",
    ("a b=X, b c d=Y", "a b c d"): "X c d",
    ("c++=C++", "c++ and c"): "C++ and c",
    ("25=30", "25 2500 25."): "30 2500 30.",
    # anywhere
    ("昆特=Quintet", "我用昆特转写"): "我用Quintet转写",
    ("京都=京東, 东京=東京", "东京都"): "東京都",
    ("python=Python", "我用python写"): "我用Python写",
    ("コンテツト=コンテント", "コンテツトです"): "コンテントです",
    ("서울=수원", "서울에서 서울까지"): "수원에서 수원까지",
    ("唔該=唔好意思", "唔該晒"): "唔好意思晒",
    # nothing to do
    ("", "as it is"): "as it is",
    ("x=y", "as it is"): "as it is",
    ("x=y", ""): "",
}

BAD = {
    "misheard": "'misheard' is no pair",
    "=right": "'=right' is no pair",
    "a=b, c=": "'c=' is no pair",
    "a=b\nA=c": "'A=c': 'A' is replaced already",
    "a=" + "b" * MAX_CHARS: "'a=b+'… has more than 100 characters",
    ",".join(f"{number}=x" for number in range(MAX_PAIRS + 1)): "201 pairs; at most 200",
}


@pytest.mark.parametrize(("table", "text"), TEXTS)
def test_text(table: str, text: str) -> None:
    """Whole words where words have spaces, anywhere else; the longest, and each place once."""
    assert corrected(Hypothesis(text=text, language="en"), parse(table)).text == TEXTS[table, text]


def test_words() -> None:
    """Words that are replaced together become one with their outer times; the others stay as they are."""
    heard = Hypothesis(
        text="The quin tet, “quin tet” 昆特好。",
        language="en",
        words=tuple(
            Word(text, start_ms, start_ms + 5)
            for start_ms, text in enumerate(("the", "quin", "tet,", "quin", "tet", "昆", "特", "好。"))
        ),
    )

    right = corrected(heard, parse("quin tet=Quintet,昆特=Quintet"))

    assert right.text == "The Quintet, “Quintet” Quintet好。"
    assert right.words == (
        Word("the", 0, 5),
        Word("Quintet,", 1, 7),
        Word("“Quintet”", 3, 9),
        Word("Quintet", 5, 11),
        Word("好。", 7, 12),
    )


def test_a_part_of_a_word() -> None:
    """A word may hold what is replaced, several times over."""
    heard = Hypothesis(
        text="서울에서 서울", language="ko", words=(Word("서울에서", 0, 5), Word("서울", 5, 9))
    )

    assert corrected(heard, parse("서=수")).words == (Word("수울에수", 0, 5), Word("수울", 5, 9))


def test_words_of_another_text() -> None:
    """Words that do not make up the text are left alone."""
    words = (Word("something", 0, 5), Word("else", 5, 9))

    right = corrected(Hypothesis(text="a text", language="en", words=words), parse("text=b"))

    assert (right.text, right.words) == ("a b", words)


#: Words of the languages with what is between them; a table is made of the same, so that it often fits.
WORDS = (
    (" ", ("the", "quin", "tet,", "“well”", "don't", "25.")),
    ("", ("我", "用", "昆", "特，", "「好」", "x")),
)


@st.composite
def heard_and_asked(draw: st.DrawFn) -> tuple[Hypothesis, tuple[Replacement, ...]]:
    """What was heard, with words, and a table whose right sides are recognised by their `R`."""
    space, vocabulary = draw(st.sampled_from(WORDS))
    texts = draw(st.lists(st.sampled_from(vocabulary), max_size=12))
    words = tuple(Word(text, index * 100, index * 100 + 50) for index, text in enumerate(texts))
    parts = st.lists(st.sampled_from(vocabulary), min_size=1, max_size=3).map(space.join)
    misheard = draw(st.lists(parts, max_size=4, unique_by=str.casefold))
    table = tuple(Replacement(part, f"R{part[::-1]}R") for part in misheard)
    return Hypothesis(text=space.join(texts), language="zh", words=words), table


@given(heard_and_asked())
def test_words_make_up_the_text(drawn: tuple[Hypothesis, tuple[Replacement, ...]]) -> None:
    """Text and words change alike, and the edges of the words are still edges of theirs."""
    heard, table = drawn

    right = corrected(heard, table)

    assert heard.words is not None
    assert right.words is not None
    assert "".join("".join(word.text for word in right.words).split()) == "".join(right.text.split())
    starts_ms = [word.start_ms for word in right.words]
    assert (
        starts_ms
        == sorted(set(starts_ms))
        == sorted(set(starts_ms) & {word.start_ms for word in heard.words})
    )
    assert {word.end_ms for word in right.words} <= {word.end_ms for word in heard.words}
    assert (right == heard) == ("R" not in right.text)


def test_parse() -> None:
    """Lines or commas; the first sign divides, and spaces are only counted within."""
    assert parse(" a  b = c ,\r\n d=e=f\n\n") == (Replacement("a b", "c"), Replacement("d", "e=f"))
    assert len(parse("\n".join(f"{number}={'x' * 90}" for number in range(MAX_PAIRS)))) == MAX_PAIRS


@pytest.mark.parametrize("table", BAD)
def test_bad_tables(table: str) -> None:
    """The message names the pair."""
    with pytest.raises(BadReplacements, match=BAD[table]) as refused:
        parse(table)

    assert len(str(refused.value)) < 200
