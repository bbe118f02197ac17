"""What SenseVoice's tags say, and how its tokens become words."""

import numpy as np
import pytest

from actors.engines.sensevoice_tags import Rich, is_tag, parse
from actors.engines.sensevoice_words import Piece, Token, piece, tokens, words
from actors.records import Word


def test_the_four_leading_tags_are_read() -> None:
    """Language, emotion, event and ITN stand before the text."""
    rich = parse("<|zh|><|HAPPY|><|Speech|><|withitn|>你好。")

    assert rich == Rich(text="你好。", language="zh", emotion="happy", event="speech", itn=True)


@pytest.mark.parametrize(
    ("tagged", "emotion", "event"),
    [
        ("<|en|><|EMO_UNKNOWN|><|Speech|><|woitn|>a", None, "speech"),
        ("<|en|><|NEUTRAL|><|Event_UNK|><|woitn|>a", "neutral", None),
        ("<|en|><|SAD|><|BGM|><|woitn|>a", "sad", "bgm"),
        ("<|en|><|DISGUSTED|><|Speech_Noise|><|woitn|>a", "disgusted", "speech_noise"),
        ("<|en|><|EMO_UNKNOWN|><|GBG|><|woitn|>a", None, None),
    ],
)
def test_what_is_unknown_is_none(tagged: str, emotion: str | None, event: str | None) -> None:
    """Emotions and events are lower case; the model's own "unknown" is no emotion."""
    rich = parse(tagged)

    assert (rich.text, rich.emotion, rich.event, rich.itn) == ("a", emotion, event, False)


@pytest.mark.parametrize(
    ("tagged", "text"),
    [
        ("<|zh|>你好<|Laughter|>世界", "你好世界"),
        ("<|en|>so <|Applause|> thanks<|en|><|HAPPY|>", "so thanks"),
        ("<|en|>a<|b|c|>d", "a<|b|c|>d"),
        ("<|en|>1 <| 2 |> 3 < 4", "1 3 < 4"),
        ("<|en|>x<|a<|b|>|>y", "xy"),
        ("", ""),
        ("<|en|>", ""),
        ("no tags", "no tags"),
    ],
)
def test_the_text_has_no_tag(tagged: str, text: str) -> None:
    """Wherever they stand tags leave the text, and nothing else does."""
    assert parse(tagged).text == text


def test_leading_tags_win() -> None:
    """A second language or emotion further on does not overrule the first."""
    rich = parse("<|ja|><|NEUTRAL|><|BGM|><|woitn|>あ<|en|><|HAPPY|><|Speech|>b")

    assert (rich.language, rich.emotion, rich.event) == ("ja", "neutral", "bgm")


def test_nobody_speaking_has_no_text() -> None:
    """Whatever follows `nospeech` was imagined; what sounded instead is kept."""
    rich = parse("<|nospeech|><|EMO_UNKNOWN|><|BGM|><|woitn|>the.")

    assert (rich.text, rich.language, rich.event) == ("", "nospeech", "bgm")


def test_tags_are_told_from_text() -> None:
    """Only a whole tag is one."""
    assert is_tag("<|HAPPY|>")
    assert is_tag("▁<|HAPPY|>")
    assert not is_tag("<|HAPPY|>x")
    assert not is_tag("<")


def test_a_path_becomes_tokens() -> None:
    """Runs of one token are one, blanks part equal ones, and times are those of the runs."""
    path = np.array([5, 5, 0, 5, 7, 7, 7, 0], dtype=np.int32)

    assert tokens(path) == [Token(5, 0, 2), Token(5, 3, 4), Token(7, 4, 7)]
    assert tokens(np.zeros(3, dtype=np.int32)) == []


def test_times_count_from_the_segment() -> None:
    """The four frames of the queries are no time; a frame of 60 ms is centred on its own."""
    assert piece("a", Token(9, 4, 5)) == Piece("a", 0, 30)
    assert piece("a", Token(9, 10, 12)) == Piece("a", 330, 450)
    assert piece("a", Token(9, 3, 6)) == Piece("a", 0, 90)


def _words(*texts: str) -> list[str]:
    return [word.text for word in words(Piece(text, index, index + 1) for index, text in enumerate(texts))]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("▁hel", "lo", ",", "▁world", "."), ["hello,", "world."]),
        (("▁it", "'", "s"), ["it's"]),
        (("▁3", ".", "5"), ["3.5"]),
        (("▁", "hi", "▁", "there"), ["hi", "there"]),
        (("我", "有", "2", "5", "元", "。"), ["我", "有", "25", "元。"]),
        (("你好", "世界", "!"), ["你", "好", "世", "界!"]),
        (("▁用", "▁iPhone", "拍", "照"), ["用", "iPhone", "拍", "照"]),
        (("コ", "ー", "ヒー"), ["コ", "ー", "ヒ", "ー"]),
        (("▁안녕", "하세요", "▁여러분"), ["안녕하세요", "여러분"]),
        (("「", "は", "い", "」"), ["「は", "い」"]),
        (("▁ha", "<|Laughter|>", "ha"), ["ha", "ha"]),
        (("a", "<space>", "b"), ["a", "b"]),
        (("一", ",", "b"), ["一,", "b"]),
        (("<|zh|>", "."), []),
    ],
)
def test_pieces_become_words(pieces: tuple[str, ...], expected: list[str]) -> None:
    """Marks part words, ideographs stand alone, punctuation belongs to the word before."""
    assert _words(*pieces) == expected


def test_a_word_lasts_from_its_first_to_its_last_piece() -> None:
    """Punctuation does not lengthen it, and ideographs of one piece share its time."""
    heard = words(
        [Piece("▁hel", 100, 160), Piece("lo", 220, 280), Piece(",", 700, 760), Piece("你好", 800, 920)]
    )

    assert heard == (Word("hello,", 100, 280), Word("你", 800, 860), Word("好", 860, 920))
