"""Cuts a recording into the segments that are recognised one by one."""

import itertools
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from actors.audio.edges import MAX_START_DELAY_MS, Edge, SpeechEnd, SpeechStart
from actors.audio.quietest import quietest_ms
from actors.audio.tape import Tape
from actors.records import MAX_SEGMENT_MS, SAMPLE_RATE_HZ, Segment

#: Audio kept around speech, so that a recogniser hears soft onsets and codas. Together they stay below
#: the shortest pause the VAD reports (280 ms), so a padded end never reaches into speech not yet reported.
PAD_BEFORE_MS = 100
PAD_AFTER_MS = 150

#: Speech without a pause is cut between this and `MAX_SEGMENT_MS`.
_EARLIEST_CUT_MS = MAX_SEGMENT_MS // 2


class Piece(Struct, frozen=True):
    """A segment and its samples: int16 [16 per ms]."""

    segment: Segment
    samples: NDArray[np.int16]


class EdgeDetector(Protocol):
    """Tells where speech begins and ends, such as a `VadStream`."""

    def feed(self, samples: NDArray[np.int16], *, final: bool) -> list[Edge]:
        """The edges found up to the end of `samples`; with `final`, the last ones."""
        ...


def by_speech(chunks: Iterable[NDArray[np.int16]], detector: EdgeDetector) -> Iterator[Piece]:
    """The speech of a recording, each span as soon as it closes.

    Spans are numbered from 0, in order, never overlap and are at most `MAX_SEGMENT_MS` long. Holds about
    that much audio, plus two chunks.
    """
    cutter = _Cutter()
    rest = np.empty(0, np.int16)
    waiting = iter(chunks)
    first, second = next(waiting, rest), next(waiting, None)
    if second is None:
        # At once: a detector takes nearly as long for an end by itself as for a second of audio.
        rest = first
    else:
        for chunk in itertools.chain((first, second), waiting):
            yield from cutter.take(chunk, detector.feed(chunk, final=False))
    yield from cutter.take(rest, detector.feed(rest, final=True))
    yield from cutter.finish()


def whole(chunks: Iterable[NDArray[np.int16]]) -> Iterator[Piece]:
    """All of a recording, cut at quiet points into spans of at most `MAX_SEGMENT_MS`."""
    return by_speech(chunks, _Everything())


class _Everything:
    """Takes a recording for one long utterance."""

    def __init__(self) -> None:
        self._heard_samples = 0

    def feed(self, samples: NDArray[np.int16], *, final: bool) -> list[Edge]:
        begins = self._heard_samples == 0 and len(samples) > 0
        self._heard_samples += len(samples)
        edges: list[Edge] = [SpeechStart(0)] if begins else []
        if final and self._heard_samples:
            edges.append(SpeechEnd(self._heard_samples * 1000 // SAMPLE_RATE_HZ))
        return edges


class _Cutter:
    """Turns edges into pieces and keeps the audio until its edges are known."""

    def __init__(self) -> None:
        self._tape = Tape()
        self._index = 0
        self._open_ms: int | None = None
        #: End of the last piece: the next one begins no earlier.
        self._floor_ms = 0

    def take(self, chunk: NDArray[np.int16], edges: list[Edge]) -> Iterator[Piece]:
        """The pieces that are complete once `chunk` has been heard and `edges` found."""
        self._tape.append(chunk)
        for edge, following in pairwise([*edges, None]):
            match edge:
                case SpeechStart(at_ms):
                    self._open_ms = max(at_ms - PAD_BEFORE_MS, self._floor_ms, self._tape.start_ms)
                case SpeechEnd(at_ms):
                    yield from self._close(at_ms, following.at_ms if following else None)
        yield from self._cut(self._tape.end_ms)
        self._forget()

    def finish(self) -> Iterator[Piece]:
        """What is still open when the recording ends."""
        yield from self._close(self._tape.end_ms, None)

    def _close(self, speech_end_ms: int, next_start_ms: int | None) -> Iterator[Piece]:
        end_ms = min(speech_end_ms, self._tape.end_ms)
        yield from self._cut(end_ms)
        if self._open_ms is None or end_ms <= self._open_ms:
            # The last cut fell into the silence after the speech.
            self._open_ms = None
            return
        pause_end_ms = self._tape.end_ms if next_start_ms is None else (end_ms + next_start_ms) // 2
        padded_ms = min(end_ms + PAD_AFTER_MS, pause_end_ms, self._open_ms + MAX_SEGMENT_MS)
        yield self._piece(self._open_ms, padded_ms)
        self._open_ms = None

    def _cut(self, end_ms: int) -> Iterator[Piece]:
        """Cut the open span at quiet points until what remains before `end_ms` is short enough."""
        while self._open_ms is not None and end_ms - self._open_ms > MAX_SEGMENT_MS:
            earliest_ms = self._open_ms + _EARLIEST_CUT_MS
            cut_ms = earliest_ms + quietest_ms(self._tape.read(earliest_ms, self._open_ms + MAX_SEGMENT_MS))
            yield self._piece(self._open_ms, cut_ms)
            self._open_ms = cut_ms

    def _piece(self, start_ms: int, end_ms: int) -> Piece:
        segment = Segment(self._index, start_ms, end_ms)
        self._index += 1
        self._floor_ms = end_ms
        # A copy, so that a piece that is kept does not keep the tape.
        return Piece(segment, self._tape.read(start_ms, end_ms).copy())

    def _forget(self) -> None:
        if self._open_ms is not None:
            self._tape.forget(self._open_ms)
        else:
            self._tape.forget(self._tape.end_ms - MAX_START_DELAY_MS - PAD_BEFORE_MS)
