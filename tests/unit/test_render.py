"""Transcripts as people read them."""

import json

import msgspec
import pytest

from actors.records import Line, Segment, Stats, Transcript, Utterance, Word
from api import render
from api.render import SegmentDetails, TimedWord

STATS = Stats(total_segments=0, successful_segments=0, failed_segments=0, success_rate=1.0)


def transcript(*spans: tuple[int, int, str | None]) -> Transcript:
    """A transcript of these (start_ms, end_ms, text); None is a segment that failed."""
    lines = (
        Line(
            segment=Segment(index, start_ms, end_ms),
            utterance=None
            if text is None
            else Utterance(text=text, language="en", instance="instance-1", took_ms=1.0),
        )
        for index, (start_ms, end_ms, text) in enumerate(spans)
    )
    return Transcript(lines=tuple(lines), stats=STATS, audio_ms=0)


def test_srt() -> None:
    """Cues are numbered from 1, with the hours written out, and end with an empty line between them."""
    rendered = render.srt(transcript((0, 1_500, "one"), (3_661_001, 3_662_000, "two")))

    assert rendered == ("1\n00:00:00,000 --> 00:00:01,500\none\n\n2\n01:01:01,001 --> 01:01:02,000\ntwo\n")


def test_srt_leaves_out_what_was_not_said() -> None:
    """Segments that failed or hold no words make no cue, and the numbers stay without gaps."""
    rendered = render.srt(transcript((0, 1_000, None), (1_000, 2_000, ""), (2_000, 3_000, "said")))

    assert rendered.startswith("1\n00:00:02,000")


#: 44 columns: two lines.
FOX = "The quick brown fox jumps over the lazy dog."


def test_vtt() -> None:
    """The header, a point in the times, and nothing that a player would take for a tag or an arrow."""
    rendered = render.vtt(transcript((0, 1_500, FOX), (3_661_001, 3_662_000, "a < b --> R&D <i>")))

    assert rendered == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.500\nThe quick brown fox\njumps over the lazy dog.\n\n"
        "01:01:01.001 --> 01:01:02.000\na &lt; b --&gt; R&amp;D &lt;i&gt;\n"
    )


def test_tsv() -> None:
    """A row for each cue, whatever its text has in it."""
    rendered = render.tsv(transcript((0, 1_500, FOX), (2_000, 3_000, "a\tb\r\nc\u2028d")))

    assert rendered == f"start_ms\tend_ms\ttext\n0\t1500\t{FOX}\n2000\t3000\ta b c d\n"


def test_silence_renders_empty() -> None:
    """Nothing said is empty subtitles and empty text."""
    assert render.srt(transcript()) == ""
    assert render.vtt(transcript()) == "WEBVTT\n"
    assert render.tsv(transcript()) == "start_ms\tend_ms\ttext\n"
    assert render.plain_text(transcript()) == ""


def test_details() -> None:
    """Words have their times in the recording, none of them beyond their segment."""
    heard = Utterance(
        text="one two",
        language="en",
        emotion="happy",
        event="speech",
        words=(Word("one", 0, 90), Word("two", 400, 505)),
        instance="instance-1",
        took_ms=1.0,
    )
    line = Line(segment=Segment(0, 1_000, 1_500), utterance=heard)

    assert render.details(Transcript(lines=(line,), stats=STATS, audio_ms=2_000)) == (
        SegmentDetails(
            start_ms=1_000,
            end_ms=1_500,
            text="one two",
            language="en",
            emotion="happy",
            event="speech",
            words=(TimedWord("one", 1_000, 1_090), TimedWord("two", 1_400, 1_500)),
        ),
    )


def test_details_of_what_is_not_known() -> None:
    """What the engine does not know is null, and so is all but the reason where a segment failed."""
    known = transcript((0, 1, "one"))
    failed = Line(segment=Segment(1, 1, 2), error="out of memory")

    details = render.details(msgspec.structs.replace(known, lines=(*known.lines, failed)))

    assert details == (
        SegmentDetails(start_ms=0, end_ms=1, text="one", language="en"),
        SegmentDetails(start_ms=1, end_ms=2, error="out of memory"),
    )
    assert json.loads(msgspec.json.encode(details[1])) == {
        "start_ms": 1,
        "end_ms": 2,
        "text": "",
        "language": None,
        "emotion": None,
        "event": None,
        "words": None,
        "error": "out of memory",
    }


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["你好。", "世界"], "你好。世界"),
        (["Hello.", "World"], "Hello. World"),
        (["中文", "English"], "中文 English"),
        (["안녕", "하세요"], "안녕 하세요"),
    ],
)
def test_join(texts: list[str], joined: str) -> None:
    """Chinese and Japanese run on; other scripts get a space."""
    assert render.join(texts) == joined
