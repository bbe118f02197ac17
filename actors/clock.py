"""The wall clock, as the records keep it: that of Redis, so that hosts whose own clocks differ agree."""

import time
from typing import Final

#: Clocks that differ by less are as good as the same, and a round trip that takes longer says nothing.
TOLERANCE_MS: Final = 250


class _Shared:
    """By how much the clock of Redis is ahead of that of this machine."""

    offset_ms = 0


def now_ms() -> int:
    """Unix time in milliseconds."""
    return _own_ms() + _Shared.offset_ms


def offset_ms() -> int:
    """By how much `now_ms` is ahead of this machine's own clock."""
    return _Shared.offset_ms


def set_by(told_ms: int, round_trip_ms: float) -> bool:
    """Go by the clock of Redis, which has just told its time; false if it took too long for that."""
    if round_trip_ms > TOLERANCE_MS:
        return False
    offset = told_ms + round(round_trip_ms / 2) - _own_ms()
    _Shared.offset_ms = offset if abs(offset) > TOLERANCE_MS else 0
    return True


def _own_ms() -> int:
    return time.time_ns() // 1_000_000
