"""A transcript as people read it."""

import html
from collections.abc import Iterable

from msgspec import Struct

from actors.records import Line, Segment, Transcript, Word
from api.cues import Cue, cues
from api.lines import unspaced


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
    """SubRip subtitles."""
    blocks = (
        f"{number}\n{_timestamp(cue.start_ms, ',')} --> {_timestamp(cue.end_ms, ',')}\n{_rows(cue)}\n"
        for number, cue in enumerate(cues(transcript), 1)
    )
    return "\n".join(blocks)


def vtt(transcript: Transcript) -> str:
    """WebVTT subtitles."""
    blocks = (
        f"{_timestamp(cue.start_ms, '.')} --> {_timestamp(cue.end_ms, '.')}\n"
        f"{html.escape(_rows(cue), quote=False)}\n"
        for cue in cues(transcript)
    )
    return "\n".join(("WEBVTT\n", *blocks))


def tsv(transcript: Transcript) -> str:
    """Tab-separated values: a row for each cue, its times in milliseconds and its text on one line."""
    rows = (f"{cue.start_ms}\t{cue.end_ms}\t{join(cue.lines)}\n" for cue in cues(transcript))
    return "".join(("start_ms\tend_ms\ttext\n", *rows))


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
        gap = "" if not joined or (unspaced(joined[-1]) and unspaced(text[0])) else " "
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


def _rows(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _timestamp(ms: int, mark: str) -> str:
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    seconds, ms = divmod(ms, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{ms:03}"
