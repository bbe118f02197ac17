"""What SenseVoice says about a segment in tags, `<|zh|><|HAPPY|><|Speech|><|withitn|>`, and its bare text."""

import re

from msgspec import Struct

#: The language tag of a segment in which nobody speaks.
NO_SPEECH = "nospeech"

#: Tags to what we call them; from `funasr/utils/postprocess_utils.py`. Others only disappear from the text.
EMOTIONS = {
    tag: tag.lower() for tag in ("HAPPY", "SAD", "ANGRY", "NEUTRAL", "FEARFUL", "DISGUSTED", "SURPRISED")
}
EVENTS = {
    tag: tag.lower()
    for tag in (
        "Speech", "BGM", "Applause", "Laughter", "Cry", "Sneeze", "Breath", "Cough", "Sing", "Speech_Noise",
    )
}  # fmt: skip
_ITN = {"withitn": True, "woitn": False}

#: Nothing that could begin or end another tag may stand inside one.
_TAG = re.compile(r"<\|([^<>|]*)\|>")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_SPACES = re.compile(r"\s+")


class Rich(Struct, frozen=True, kw_only=True):
    """What the tags say, `None` where they do not, and the text without them."""

    text: str
    language: str | None = None
    emotion: str | None = None
    event: str | None = None
    itn: bool | None = None


def parse(tagged: str) -> Rich:
    """Take the tags out of a text; of several of one kind the first counts.

    A text whose language is `NO_SPEECH` is empty, whatever stood there.
    """
    tags = _TAG.findall(tagged)
    language = next((tag for tag in tags if tag == NO_SPEECH or _LANGUAGE.fullmatch(tag)), None)
    text = "" if language == NO_SPEECH else _SPACES.sub(" ", _without_tags(tagged)).strip()
    return Rich(
        text=text,
        language=language,
        emotion=next((EMOTIONS[tag] for tag in tags if tag in EMOTIONS), None),
        event=next((EVENTS[tag] for tag in tags if tag in EVENTS), None),
        itn=next((_ITN[tag] for tag in tags if tag in _ITN), None),
    )


def is_tag(piece: str) -> bool:
    """Whether a token is a tag."""
    return _TAG.fullmatch(piece.removeprefix("▁")) is not None


def _without_tags(text: str) -> str:
    """Repeated, because what stood around a tag may make another one."""
    while (shorter := _TAG.sub("", text)) != text:
        text = shorter
    return text
