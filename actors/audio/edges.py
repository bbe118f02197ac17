"""Where speech begins and ends in a recording."""

from msgspec import Struct

#: A start that is yet to be reported lies at most this far before the end of the audio heard so far:
#: 200 ms of window, 200 ms of look-back, and the frames that still wait for their right context.
MAX_START_DELAY_MS = 500


class SpeechStart(Struct, frozen=True, tag="start"):
    """Speech begins, counted from the start of the recording."""

    at_ms: int


class SpeechEnd(Struct, frozen=True, tag="end"):
    """Speech ends, counted from the start of the recording."""

    at_ms: int


#: Edges alternate, a start first, and their times never decrease.
Edge = SpeechStart | SpeechEnd
