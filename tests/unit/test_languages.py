"""Languages by the names that clients have for them."""

import pytest

from actors import languages
from actors.languages import UnknownLanguage

KNOWN = {
    "auto": "auto Auto AUTO detect",
    "zh": "zh ZH zh-CN zh_TW zh-Hans zh-Hant-TW cmn cmn-Hans-CN cmn-HK zho chi Chinese mandarin CN 中文",
    "en": "en en-US EN_gb en-001 eng English",
    "ja": "ja ja-JP jp jpn Japanese 日本語",
    "ko": "ko ko-KR kr kor KOREAN 한국어",
    "yue": "yue yue-HK yue-Hant-HK zh-HK zh-Hant-HK zh_MO zh-yue zh-yue-HK Cantonese 粵語",
}


@pytest.mark.parametrize(("name", "code"), [(name, code) for code in KNOWN for name in KNOWN[code].split()])
def test_known(name: str, code: str) -> None:
    """Codes, tags and names, in any case."""
    assert languages.code(name) == code


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_nothing_is_auto(name: str) -> None:
    """A form that sends the field empty leaves the choice to the model."""
    assert languages.code(name) == "auto"


@pytest.mark.parametrize(
    "name", ["tlh", "de", "en-", "-en", "en-banana", "en-yue", "en US", "auto-US", "0", "None"]
)
def test_unknown(name: str) -> None:
    """Anything else is refused with the list."""
    with pytest.raises(UnknownLanguage, match="auto, zh, en, ja, ko, yue"):
        languages.code(name)


def test_a_long_name_is_not_repeated() -> None:
    """The message stays a sentence."""
    with pytest.raises(UnknownLanguage) as refused:
        languages.code("e" * 16_000)

    assert len(str(refused.value)) < 200
