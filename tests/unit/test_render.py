"""Transcripts as people read them."""

import pytest

from actors.records import Line, Segment, Stats, Transcript, Utterance
from api import render

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
    rendered = render.srt(transcript((0, 1, None), (1, 2, ""), (2, 3, "said")))

    assert rendered.startswith("1\n00:00:00,002")


def test_silence_renders_empty() -> None:
    """Nothing said is empty subtitles and empty text."""
    assert render.srt(transcript()) == ""
    assert render.plain_text(transcript()) == ""


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
