"""From frames that are speech or silence to the edges of utterances: FunASR's state machine in whole frames.

Two of its rules cannot apply here and are left out. Its level gates (`decibel_thres` and `snr_thres` of
-100 dB) never close: a frame's level, 10·log10(sum of 400 squares + 1e-6), lies between -60 and 26.1 dB for
samples within ±1, so it is above -100 dB and above any mean of such levels less 100 dB. Its longest
utterance, set to a day, is as long as the longest recording.
"""

from collections import deque
from collections.abc import Iterable

from actors.audio.edges import Edge, SpeechEnd, SpeechStart

FRAME_MS = 10

#: Frames that are counted: speech begins with so many of them, and pauses with as few.
_WINDOW = 200 // FRAME_MS
_TURNS = 150 // FRAME_MS

#: An utterance begins so far before the window in which it was noticed.
_LOOKBACK = 200 // FRAME_MS

#: Frames of pause, from the turn, that end an utterance: 800 ms, less what the turn itself took.
_END_PAUSE = 800 // FRAME_MS - _TURNS

#: How far an utterance reaches beyond the turn: 100 ms, after the turn's own frame and with the last one.
_LOOKAHEAD = 100 // FRAME_MS + 2


class EdgeFinder:
    """The edges of one recording."""

    def __init__(self) -> None:
        #: Frames heard so far.
        self._frames = 0
        #: The latest frames, 1 for speech, and how many of them are.
        self._window = _silence()
        self._voiced = 0
        #: Whether the window is in speech, and the frame in which it last turned to silence.
        self._in_speech = False
        self._turned = 0
        #: Whether an utterance is open, and the first frame that the next one may have.
        self._open = False
        self._floor = 0

    def feed(self, speech: Iterable[bool], *, final: bool) -> list[Edge]:
        """The edges found up to the end of these frames; with `final`, an open utterance ends there."""
        edges: list[Edge] = []
        was_open = self._open
        for frame, is_speech in enumerate(speech, self._frames):
            was_open = self._open
            self._voiced += is_speech - self._window[0]
            self._window.append(is_speech)
            self._frames = frame + 1
            if self._in_speech:
                if self._voiced <= _TURNS:
                    self._in_speech, self._turned = False, frame
            elif self._voiced >= _TURNS:
                self._in_speech = True
                if not self._open:
                    self._open = True
                    edges.append(_start(max(self._floor, frame - _WINDOW - _LOOKBACK)))
            elif self._open and frame == self._turned + _END_PAUSE:
                self._open = False
                self._floor = self._turned + _LOOKAHEAD
                self._window, self._voiced = _silence(), 0
                edges.append(_end(self._floor))
        # FunASR leaves an utterance that begins in the very last frame without an end.
        if final and self._open and was_open:
            self._open = False
            edges.append(_end(self._frames))
        return edges


def _silence() -> deque[bool]:
    return deque([False] * _WINDOW, _WINDOW)


def _start(frame: int) -> SpeechStart:
    return SpeechStart(frame * FRAME_MS)


def _end(frame: int) -> SpeechEnd:
    return SpeechEnd(frame * FRAME_MS)
