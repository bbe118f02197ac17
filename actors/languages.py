"""The names by which clients ask for a language, and the codes of ours that they mean.

Our codes are ISO 639: `zh`, `en`, `ja` and `ko` of part 1, `yue` of part 3, as part 1 has none for Cantonese;
the codes of parts 2 and 3 are names of them. Tags such as `zh-Hant-TW` are BCP 47 (RFC 5646): a language,
then its script and region, as far as they are given. The Chinese that is spoken in Hong Kong and Macau is
Cantonese, unless `cmn` says otherwise.
"""

import re
from typing import Final

from actors.errors import BadOption
from actors.records import Language

#: Beside the codes themselves: other codes of ISO 639, names, and what is often taken for a code.
_NAMES: Final[dict[Language, str]] = {
    "auto": "detect",
    "zh": "zho chi cmn zh-cmn cn chinese mandarin putonghua 中文 汉语 漢語 普通话 普通話 国语 國語",
    "en": "eng english",
    "ja": "jpn jp japanese 日本語 日语 日語",
    "ko": "kor kr korean 한국어 韩语 韓語",
    "yue": "zh-yue cantonese 粤语 粵語 广东话 廣東話",
}

_CODES: Final[dict[str, Language]] = {
    name: code for code, names in _NAMES.items() for name in (code, *names.split())
}

_TAG: Final = re.compile(r"(?P<language>zh-cmn|zh-yue|[a-z]{2,3})(-[a-z]{4})?(-(?P<region>[a-z]{2}|\d{3}))?")

_OF_CANTONESE: Final = {"hk", "mo"}

#: What was sent is repeated in a message up to here.
_SHOWN: Final = 40


class UnknownLanguage(BadOption):
    """A name that means none of our languages; the message lists them."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
        super().__init__(
            "lang",
            f"{shown!r} is not known; it is one of {', '.join(_NAMES)}, "
            "or one of these by another name, such as english or zh-TW",
        )


def code(name: str) -> Language:
    """The code that a name or tag means, whatever its case; `auto` where it is empty.

    Raises:
        UnknownLanguage: it means none.
    """
    wanted = name.strip().replace("_", "-").casefold()
    if not wanted:
        return "auto"
    if wanted in _CODES:
        return _CODES[wanted]
    tag = _TAG.fullmatch(wanted)
    if tag is None or tag["language"] not in _CODES:
        raise UnknownLanguage(name)
    if tag["language"] == "zh" and tag["region"] in _OF_CANTONESE:
        return "yue"
    return _CODES[tag["language"]]
