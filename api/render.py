"""A transcript as people read it."""

import unicodedata
from collections.abc import Iterable

from msgspec import Struct

from actors.records import Line, Segment, Transcript, Word

#: East Asian widths of characters that are written without spaces between words.
_WIDE = {"W", "F"}


class TimedWord(Struct, frozen=True):
    """A word or token with its times, counted from the start of the recording."""

    text: str
    start_ms: int
    end_ms: int


class SegmentDetails(Struct, frozen=True, kw_only=True):
    """All that is known of a segment, null where the model does not know; times as in `TimedWord`."""

    start_ms: int
    end_ms: int
    #: Empty where nothing was said, or the segment failed.
    text: str = ""
    language: str | None = None
    emotion: str | None = None
    event: str | None = None
    words: tuple[TimedWord, ...] | None = None
    #: Why the segment failed.
    error: str | None = None


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


def details(transcript: Transcript) -> tuple[SegmentDetails, ...]:
    """Every segment, those that failed as well."""
    return tuple(_details(line) for line in transcript.lines)


def join(texts: Iterable[str]) -> str:
    """Texts one after the other, with a space except between two characters of Chinese or Japanese."""
    joined = ""
    for text in texts:
        gap = "" if not joined or (_unspaced(joined[-1]) and _unspaced(text[0])) else " "
        joined += gap + text
    return joined


def _details(line: Line) -> SegmentDetails:
    segment, heard = line.segment, line.utterance
    if heard is None:
        return SegmentDetails(start_ms=segment.start_ms, end_ms=segment.end_ms, error=line.error)
    return SegmentDetails(
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        text=heard.text,
        language=heard.language,
        emotion=heard.emotion,
        event=heard.event,
        words=None if heard.words is None else tuple(_timed(word, segment) for word in heard.words),
    )


def _timed(word: Word, segment: Segment) -> TimedWord:
    """The last frame of a segment may reach beyond its end."""
    end_ms = min(segment.start_ms + word.end_ms, segment.end_ms)
    return TimedWord(word.text, segment.start_ms + word.start_ms, end_ms)


def _unspaced(character: str) -> bool:
    hangul = "\uac00" <= character <= "\ud7a3"
    return unicodedata.east_asian_width(character) in _WIDE and not hangul


def _timestamp(ms: int) -> str:
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    seconds, ms = divmod(ms, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02},{ms:03}"
