# ruff: noqa: RUF001 (marks that look alike are its subject)
"""Cues can be read, whatever was said."""

import re

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.records import Line, Segment, Stats, Transcript, Utterance, Word
from api import lines, render
from api.cues import MAX_LINES, MAX_MS, MIN_MS, Cue, cues

STATS = Stats(total_segments=0, successful_segments=0, failed_segments=0, success_rate=1.0)

#: Words of the five languages, those of each with what is between them.
VOCABULARIES = (
    (" ", ("a", "the", "Internationalisation", "dog.", "“Well,", "know”?", "25", "don't", "R&D", "-", "x_y")),
    ("", (*"今天气好我", "们，", "吗？", "「去」", "……", "《三", "Python")),
    ("", (*"これはコーヒーッん", "です。", "か？", "っ", "「はい」", "10")),
    (" ", ("안녕하세요", "네.", "오늘은", "날씨가,", "좋아서", "그")),
    ("", (*"佢話聽日唔得閒", "呀？", "，", "OK")),
)


@st.composite
def utterances(draw: st.DrawFn, *, spread_ms: int) -> tuple[str, tuple[Word, ...]]:
    """A text and its words, each up to `spread_ms` long and as far from the next one."""
    space, vocabulary = draw(st.sampled_from(VOCABULARIES))
    texts = draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=70))
    words: list[Word] = []
    now_ms = draw(st.integers(0, spread_ms))
    for text in texts:
        end_ms = now_ms + draw(st.integers(1, spread_ms))
        words.append(Word(text, now_ms, end_ms))
        now_ms = end_ms + draw(st.integers(0, spread_ms))
    return space.join(texts), tuple(words)


def line(number: int, start_ms: int, end_ms: int, text: str, words: tuple[Word, ...] | None) -> Line:
    """A segment in which this was heard."""
    heard = Utterance(text=text, language="zh", words=words, instance="instance-1", took_ms=1.0)
    return Line(segment=Segment(number, start_ms, end_ms), utterance=heard)


@st.composite
def transcripts(draw: st.DrawFn, *, known: bool = True, spread_ms: int = 600) -> Transcript:
    """Segments one after the other, in each something said, with the words' times if they are `known`."""
    said: list[Line] = []
    now_ms = 0
    for number in range(draw(st.integers(1, 4))):
        text, words = draw(utterances(spread_ms=spread_ms))
        start_ms = now_ms + draw(st.integers(0, 3_000))
        now_ms = start_ms + words[-1].end_ms + draw(st.integers(0, 1_500))
        said.append(line(number, start_ms, now_ms, text, words if known else None))
    return Transcript(lines=tuple(said), stats=STATS, audio_ms=now_ms + draw(st.integers(0, 2_000)))


def bare(text: str) -> str:
    """The text without spaces."""
    return re.sub(r"\s", "", text)


def check(transcript: Transcript, found: list[Cue]) -> None:
    """What holds for all cues: the whole text, in its order, at times that never go back or overlap."""
    said = "".join(said.utterance.text for said in transcript.lines if said.utterance)
    assert bare("".join(text for cue in found for text in cue.lines)) == bare(said)
    edges = [edge for cue in found for edge in (cue.start_ms, cue.end_ms)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= transcript.audio_ms
    for cue in found:
        assert cue.start_ms < cue.end_ms
        assert cue.lines
        for text in cue.lines:
            assert text == text.strip() != ""
            assert lines.width(text) <= lines.columns("".join(cue.lines))


@given(transcripts())
def test_rules(transcript: Transcript) -> None:
    """At most two lines and 7 s."""
    found = cues(transcript)

    check(transcript, found)
    assert all(len(cue.lines) <= MAX_LINES and cue.end_ms - cue.start_ms <= MAX_MS for cue in found)


@given(transcripts())
def test_short_cues(transcript: Transcript) -> None:
    """A cue under 0.8 s has another one, or an end of the recording, on both its sides."""
    found = cues(transcript)

    ends_ms = [0, *(cue.end_ms for cue in found)]
    starts_ms = [*(cue.start_ms for cue in found[1:]), transcript.audio_ms]
    for ended_ms, cue, next_ms in zip(ends_ms, found, starts_ms, strict=False):
        if cue.end_ms - cue.start_ms < MIN_MS:
            assert (ended_ms, next_ms) == (cue.start_ms, cue.end_ms)


@given(transcripts())
def test_times_are_those_of_words(transcript: Transcript) -> None:
    """Every edge is that of a word or a segment, unless the cue was made longer or cut off."""
    edges_ms: set[int] = set()
    for said in transcript.lines:
        edges_ms |= {said.segment.start_ms, said.segment.end_ms}
        for word in (said.utterance and said.utterance.words) or ():
            edges_ms |= {said.segment.start_ms + word.start_ms, said.segment.start_ms + word.end_ms}

    for cue in cues(transcript):
        if MIN_MS < cue.end_ms - cue.start_ms < MAX_MS:
            assert {cue.start_ms, cue.end_ms} <= edges_ms


@given(transcripts(spread_ms=9_000))
def test_slow_words(transcript: Transcript) -> None:
    """However long a word lasts, its cue does not."""
    found = cues(transcript)

    check(transcript, found)
    assert all(cue.end_ms - cue.start_ms <= MAX_MS for cue in found)


@given(transcripts(known=False))
def test_no_words(transcript: Transcript) -> None:
    """A segment is a cue."""
    found = cues(transcript)

    check(transcript, found)
    assert len(found) == len(transcript.lines)
    for cue, said in zip(found, transcript.lines, strict=True):
        assert cue.start_ms <= said.segment.start_ms
        assert said.segment.end_ms <= cue.end_ms


@given(
    st.text(st.characters(exclude_categories=["C"]), min_size=1),
    st.lists(st.builds(Word, st.text(max_size=3), st.integers(0, 40_000), st.integers(0, 40_000))),
)
def test_odd_words(text: str, words: list[Word]) -> None:
    """Whatever an engine says, of whatever script."""
    transcript = Transcript(lines=(line(0, 0, 30_000, text, tuple(words)),), stats=STATS, audio_ms=30_000)

    found = cues(transcript)

    if found:
        check(transcript, found)
    else:
        assert lines.width(text.strip()) == 0


@given(transcripts())
def test_read_back(transcript: Transcript) -> None:
    """Another library reads the same cues from each format."""
    found = cues(transcript)
    expected = [(cue.start_ms, cue.end_ms, "\n".join(cue.lines)) for cue in found]

    for kind, rendered in (("srt", render.srt(transcript)), ("vtt", render.vtt(transcript))):
        read = pysubs2.SSAFile.from_string(rendered.replace("&amp;", "&"), format_=kind)
        assert [(cue.start, cue.end, cue.plaintext) for cue in read] == expected
    rows = [row.split("\t") for row in render.tsv(transcript).splitlines()[1:]]
    assert [(int(start), int(end), bare(text)) for start, end, text in rows] == [
        (start_ms, end_ms, bare(text)) for start_ms, end_ms, text in expected
    ]


def spoken(text: str, *words: tuple[str, int, int], end_ms: int = 30_000) -> Transcript:
    """One segment from 1 s on, and the words in it."""
    said = line(0, 1_000, 1_000 + end_ms, text, tuple(Word(*word) for word in words))
    return Transcript(lines=(said,), stats=STATS, audio_ms=60_000)


def test_divided_at_sentences() -> None:
    """The end of a sentence rather than a longer pause; the rest of the times are the words' own."""
    transcript = spoken(
        "One two three. Four five six.",
        ("One", 100, 500), ("two", 2_000, 2_500), ("three.", 3_900, 4_500),
        ("Four", 4_600, 5_000), ("five", 7_000, 7_500), ("six.", 8_500, 9_000),
        end_ms=9_100,
    )  # fmt: skip

    assert cues(transcript) == [
        Cue(1_000, 5_500, ("One two three.",)),
        Cue(5_600, 10_100, ("Four five six.",)),
    ]


@pytest.mark.parametrize("text", ["one two three four", "One, two three four"])
def test_divided_at_pauses(text: str) -> None:
    """Without marks the longest pause counts, and far from the words the segment's edges do not."""
    transcript = spoken(
        text, ("one", 2_000, 3_000), ("two", 3_100, 4_500), ("three", 6_000, 7_500), ("four", 7_600, 9_100)
    )

    assert cues(transcript)[0] == (
        Cue(3_000, 5_500, ("one two",)) if text[0] == "o" else Cue(3_000, 4_000, ("One,",))
    )


def test_words_merged_by_a_replacement() -> None:
    """A word of several is not divided, however it is written."""
    transcript = spoken("我住在京都 日本。", ("我", 0, 3_000), ("住在京都 日本。", 3_000, 12_000))

    assert cues(transcript) == [Cue(1_000, 4_000, ("我",)), Cue(4_000, 11_000, ("住在京都 日本。",))]


def test_a_word_that_ends_within_another() -> None:
    """What an engine divides where no line may end is one, and times that do not go on divide nothing."""
    transcript = spoken("New York today", ("New Yo", 0, 3_000), ("rk", 3_000, 6_000), ("today", 6_000, 9_000))
    at_once = tuple((letter * 40, 0, 5_000) for letter in "abc")
    crowd = tuple(text for text, _, _ in at_once)

    assert cues(transcript) == [Cue(1_000, 7_000, ("New York",)), Cue(7_000, 10_000, ("today",))]
    assert cues(spoken(" ".join(crowd), *at_once)) == [Cue(1_000, 6_000, crowd)]


def test_words_of_another_text() -> None:
    """Then the segment's own times hold."""
    assert cues(spoken("今天", ("something", 0, 10))) == [Cue(1_000, 31_000, ("今天",))]


def test_made_longer() -> None:
    """Into the pause behind; then into the one before."""
    times_ms = ((1_000, 1_200), (1_500, 1_600), (2_900, 3_000))
    said = tuple(line(number, *span, "네.", None) for number, span in enumerate(times_ms))

    found = cues(Transcript(lines=said, stats=STATS, audio_ms=3_000))

    assert [(cue.start_ms, cue.end_ms) for cue in found] == [(700, 1_500), (1_500, 2_300), (2_300, 3_000)]
