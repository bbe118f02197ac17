"""Where decoded audio belongs in time: subtitles are for what is seen beside it.

A film's sound may begin after its pictures, and a stream has a hole where something was lost. Containers
say so by the times of their packets alone.
"""

from typing import Final, cast

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.format import Flags

from actors.records import SAMPLE_RATE_HZ

#: Times are rounded, and clocks of sound and file differ a little: less is no hole.
_SMALLEST_HOLE_SAMPLES: Final = 3 * SAMPLE_RATE_HZ // 10

#: Where times may begin anew on the way, a greater leap is that; FFmpeg's own `-dts_delta_threshold`.
_LEAP_SAMPLES: Final = 10 * SAMPLE_RATE_HZ


class Timeline:
    """Compares the times of frames with the samples that have been decoded."""

    def __init__(self, container: InputContainer) -> None:
        #: The first moment of anything in the file; None until a frame says so.
        self._origin_samples = _samples(container.start_time, 1 / av.time_base)
        leaps = container.format.flags & cast("int", Flags.ts_discont.value)
        #: A time behind the end is damaged; None where nobody knows the end, or it is made of such times.
        self._end_samples = None if leaps else _samples(container.duration, 1 / av.time_base)

    def hole_samples(self, frame: AudioFrame, before_samples: int) -> int:
        """How much silence belongs before a frame, behind so many samples; 0 where that is not credible.

        Behind a frame that is too early, or too late to be true, times count as if it were neither.
        """
        at_samples = _samples(frame.pts, float(frame.time_base or 0))
        if at_samples is None:
            return 0
        if self._origin_samples is None:
            self._origin_samples = at_samples
        hole = at_samples - self._origin_samples - before_samples
        if abs(hole) < _SMALLEST_HOLE_SAMPLES:
            return 0
        if 0 < hole <= self._most_samples(before_samples):
            return hole
        self._origin_samples += hole
        return 0

    def _most_samples(self, before_samples: int) -> int:
        return _LEAP_SAMPLES if self._end_samples is None else self._end_samples - before_samples


def _samples(time: int | None, unit_s: float) -> int | None:
    return None if time is None else round(time * unit_s * SAMPLE_RATE_HZ)
