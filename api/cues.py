"""Subtitles as cues: short enough to be read, at times when the words are said."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from msgspec import Struct

from actors.alignment import align
from actors.records import Line, Segment, Transcript, Word
from api import lines
from api.partition import cheapest

#: A cue is no longer, and no shorter where there is room.
MAX_MS: Final = 7_000
MIN_MS: Final = 800
MAX_LINES: Final = 2

#: A model dates words by their middles: the first and the last one reach to the edges of the speech, as far
#: as they are near.
_NEAR_MS: Final = 500

#: What a cue costs by itself, and if it is short; and what its end costs: nothing at the end of a sentence.
_CUE: Final = 4.0
_SHORT: Final = 4.0
_CLAUSE_END: Final = 1.0
#: Within a clause, from no pause between the words to one of this length or longer.
_NO_PAUSE: Final = 6.0
_PAUSE: Final = 2.0
_PAUSE_MS: Final = 600
#: What a cue of the greatest length costs more, a shorter one by the square: so they are about the same.
_FULL: Final = 2.0


class Cue(Struct, frozen=True):
    """A text and when it is shown, counted from the start of the recording."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


class Atom(Struct, frozen=True):
    """A part of a text that is not divided, with its time: mostly a word, its marks and the space behind."""

    text: str
    start_ms: int
    end_ms: int
    #: Columns, the space included.
    width: int


def cues(transcript: Transcript) -> list[Cue]:
    """What was said, in cues that neither overlap nor are empty.

    Their times are those of words. Where the model knows none, a segment is one cue, however long it is.
    """
    found = [cue for line in transcript.lines for cue in _cues_of(line)]
    return list(_lengthened(found, transcript.audio_ms))


def _cues_of(line: Line) -> list[Cue]:
    segment, heard = line.segment, line.utterance
    text = " ".join(heard.text.split()) if heard else ""
    if not lines.width(text):
        return []
    atoms = _atoms(text, segment, heard.words) if heard and heard.words else []
    if not atoms:
        return [Cue(segment.start_ms, segment.end_ms, lines.wrap(text))]
    return [_cue(atoms[start:end]) for start, end in _runs(atoms, lines.columns(text))]


def _cue(atoms: Sequence[Atom]) -> Cue:
    start_ms = atoms[0].start_ms
    text = "".join(atom.text for atom in atoms).strip()
    return Cue(start_ms, min(atoms[-1].end_ms, start_ms + MAX_MS), lines.wrap(text))


def _atoms(text: str, segment: Segment, words: Sequence[Word]) -> list[Atom]:
    """The text in parts that have times of their own; none if it is not made of these words."""
    edges = [0, *accumulate(map(len, lines.pieces(text)[:-1]))]
    cuts: list[int] = []
    times_ms: list[tuple[int, int]] = []
    reached = 0
    for span, word in zip(align(text, words) or [], words, strict=False):
        cut = edges[bisect_right(edges, span.start) - 1]
        start_ms, end_ms = _times_ms(word, segment)
        if not cuts or (reached <= cut > cuts[-1] and start_ms > times_ms[-1][0]):
            cuts.append(cut)
            times_ms.append((start_ms, end_ms))
        else:
            times_ms[-1] = (times_ms[-1][0], max(times_ms[-1][1], end_ms))
        reached = span.end
    return _dated(text, cuts, _to_the_edges(times_ms, segment))


def _dated(text: str, cuts: Sequence[int], times_ms: Sequence[tuple[int, int]]) -> list[Atom]:
    """The text before the first cut is the first part's."""
    texts = [text[start:end] for start, end in pairwise([0, *cuts[1:], len(text)])]
    return [
        Atom(part, start_ms, end_ms, lines.width(part))
        for part, (start_ms, end_ms) in zip(texts, times_ms, strict=False)
    ]


def _times_ms(word: Word, segment: Segment) -> tuple[int, int]:
    """A word's start and end in the recording, within its segment; the last frame may reach beyond."""
    start_ms = min(segment.start_ms + word.start_ms, segment.end_ms - 1)
    return start_ms, max(start_ms + 1, min(segment.start_ms + word.end_ms, segment.end_ms))


def _to_the_edges(times_ms: list[tuple[int, int]], segment: Segment) -> list[tuple[int, int]]:
    """The first and the last time stretched to the edges of the speech, where those are near."""
    if times_ms and times_ms[0][0] - segment.start_ms <= _NEAR_MS:
        times_ms[0] = (segment.start_ms, times_ms[0][1])
    if times_ms and segment.end_ms - times_ms[-1][1] <= _NEAR_MS:
        times_ms[-1] = (times_ms[-1][0], segment.end_ms)
    return times_ms


def _runs(atoms: Sequence[Atom], columns: int) -> list[tuple[int, int]]:
    """The atoms of each cue: divided where it reads best, as seldom as can be."""
    breaks = [*(_break_cost(before, after) for before, after in pairwise(atoms)), 0.0]

    def cost(start: int, end: int) -> float:
        duration_ms = atoms[end - 1].end_ms - atoms[start].start_ms
        short = _SHORT if duration_ms < MIN_MS else 0
        return _CUE + breaks[end - 1] + short + _FULL * (duration_ms / MAX_MS) ** 2

    return cheapest(len(atoms), lambda start: _ends(atoms, columns, start), cost)


def _ends(atoms: Sequence[Atom], columns: int, start: int) -> Iterator[int]:
    """Where a cue may end: as far as time and lines suffice, lines being filled one after the other."""
    room, row = columns, 1
    for index in range(start, len(atoms)):
        atom = atoms[index]
        bare = atom.width - atom.text.endswith(" ")
        if bare > room:
            room, row = columns, row + 1
        full = bare > room or row > MAX_LINES or atom.end_ms - atoms[start].start_ms > MAX_MS
        if full and index > start:
            return
        room -= atom.width
        yield index + 1


def _break_cost(before: Atom, after: Atom) -> float:
    """How much a cue that ends between two atoms disturbs the reader."""
    if lines.ends_with(before.text, lines.SENTENCE_ENDS):
        return 0.0
    if lines.ends_with(before.text, lines.CLAUSE_ENDS):
        return _CLAUSE_END
    pause_ms = min(max(0, after.start_ms - before.end_ms), _PAUSE_MS)
    return _NO_PAUSE - (_NO_PAUSE - _PAUSE) * pause_ms / _PAUSE_MS


def _lengthened(found: Sequence[Cue], audio_ms: int) -> Iterator[Cue]:
    """The cues with those too short made longer, into the pause behind them, then into the one before."""
    ended_ms = 0
    for index, cue in enumerate(found):
        last = index + 1 == len(found)
        room_ms = max(audio_ms, cue.end_ms) if last else found[index + 1].start_ms
        end_ms = min(max(cue.end_ms, cue.start_ms + MIN_MS), room_ms)
        start_ms = min(cue.start_ms, max(ended_ms, end_ms - MIN_MS))
        yield Cue(start_ms, end_ms, cue.lines)
        ended_ms = end_ms
