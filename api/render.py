"""A transcript as people read it."""

import unicodedata
from collections.abc import Iterable

from actors.records import Transcript

#: East Asian widths of characters that are written without spaces between words.
_WIDE = {"W", "F"}


def srt(transcript: Transcript) -> str:
    """SubRip subtitles: one cue per segment in which something was said."""
    said = [
        (line.segment, line.utterance.text)
        for line in transcript.lines
        if line.utterance and line.utterance.text
    ]
    cues = (
        f"{number}\n{_timestamp(segment.start_ms)} --> {_timestamp(segment.end_ms)}\n{text}\n"
        for number, (segment, text) in enumerate(said, 1)
    )
    return "\n".join(cues)


def plain_text(transcript: Transcript) -> str:
    """Everything that was said, on one line."""
    return join(line.utterance.text for line in transcript.lines if line.utterance and line.utterance.text)


def join(texts: Iterable[str]) -> str:
    """Texts one after the other, with a space except between two characters of Chinese or Japanese."""
    joined = ""
    for text in texts:
        gap = "" if not joined or (_unspaced(joined[-1]) and _unspaced(text[0])) else " "
        joined += gap + text
    return joined


def _unspaced(character: str) -> bool:
    hangul = "\uac00" <= character <= "\ud7a3"
    return unicodedata.east_asian_width(character) in _WIDE and not hangul


def _timestamp(ms: int) -> str:
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    seconds, ms = divmod(ms, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02},{ms:03}"
