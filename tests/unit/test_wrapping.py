# ruff: noqa: RUF001 (marks that look alike are its subject)
"""Lines of subtitles in five languages."""

import pytest

from api import lines

#: Lines, as they are made of the text that they make up; a space between them where they end with `_`.
WRAPPED = (
    # one line is enough, of 42 columns or 20 wide characters
    ("Forty-two columns make up one line of text",),
    ("二十个汉字正好是一行字幕所以不需要换行。",),
    # about the same width
    ("Forty-three columns_", "make up two lines; that"),
    ("안녕하세요 여러분 오늘은 날씨가_", "좋아서 공원에 산책하러 갑니다"),
    ("二十一个汉字比一行字幕", "多一个所以它需要换行。"),
    # but rather at marks
    ("The quick brown fox_", "jumps over the lazy dog."),
    ("When it rains in here,_", "it does not pour out there."),
    ("今天天气很好，", "我们一起去公园散步吧，然后再去吃饭。"),
    ("佢話聽日唔得閒，", "所以我哋後日先至去飲茶，你得唔得呀？"),
    ("今日はとても天気がいいので、", "みんなでコンサートへ行きましょう。"),
    # never before a closing mark or a small kana, never behind an opening mark
    ("她在电话里轻轻地对我们说过的那句话是", "「我们明天早上八点在学校门口集合」。"),
    ("これはとても長いテキスト", "ですーーー！！！「はい」"),
    # Latin words stay whole
    ("我们使用 Python 和 Redis 来编写_", "这个语音识别服务它运行得很快。"),
    # except one that no line holds
    ("a" * 42, "a" * 8),
)

WIDTHS = {
    "": 0,
    "abc": 3,
    "ａｂｃ": 6,
    "中文，": 6,
    "カタ": 4,
    "ｶﾀ": 2,
    "한국": 4,
    "e\u0301": 1,
    "👩\u200d💻": 4,
}


@pytest.mark.parametrize("wrapped", WRAPPED, ids=lambda wrapped: wrapped[0])
def test_wrap(wrapped: tuple[str, ...]) -> None:
    """As few lines as can be, ended where they read well."""
    text = "".join(wrapped).replace("_", " ")

    assert lines.wrap(text) == tuple(line.removesuffix("_") for line in wrapped)


@pytest.mark.parametrize("text", WIDTHS)
def test_width(text: str) -> None:
    """Columns on a screen."""
    assert lines.width(text) == WIDTHS[text]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two-three", ["one ", "two-three"]),
        ("你好，世界", ["你", "好，", "世", "界"]),
        ("说：「好」！", ["说：", "「好」！"]),
        ("シャツとコーヒー", ["シャ", "ツ", "と", "コー", "ヒー"]),
        ("서울에서 왔다", ["서울에서 ", "왔다"]),
        ("用Python 3写", ["用", "Python ", "3", "写"]),
    ],
)
def test_pieces(text: str, pieces: list[str]) -> None:
    """Where a line may end."""
    assert lines.pieces(text) == pieces
