"""Looks at a service under load: what it has counted so far, and what its programs have spent."""

from collections.abc import Mapping, Sequence
from typing import Self

import psutil
from msgspec import Struct

from actors.metrics import AUDIO_S
from loadtest.metrics import Metrics


class Spent(Struct, frozen=True, kw_only=True):
    """Processor seconds since each program began."""

    programs: Mapping[str, float] = {}
    #: Program → thread → its part, of those that are said to have an engine.
    threads: Mapping[str, Mapping[int, float]] = {}

    @classmethod
    def of(cls, programs: Mapping[str, Sequence[psutil.Process]], with_engine: Sequence[str]) -> Self:
        """What the programs, of one process or more, have spent until now."""
        return cls(
            programs={name: sum(map(_spent_s, processes)) for name, processes in programs.items()},
            threads={
                name: {one.id: one.user_time + one.system_time for one in programs[name][0].threads()}
                for name in with_engine
            },
        )


class Look(Struct, frozen=True, kw_only=True):
    """A moment of a loaded service."""

    at_s: float
    metrics: Metrics
    spent: Spent = Spent()

    @property
    def audio_s(self) -> float:
        """Seconds of speech that have been recognised."""
        return self.metrics.value(AUDIO_S.name)

    @property
    def in_flight(self) -> int:
        """How many recordings are not done."""
        return int(self.metrics.value("asr_jobs_waiting") + self.metrics.value("asr_jobs_running"))


def saturated(looks: Sequence[Look], least_in_flight: int) -> tuple[Look, Look]:
    """The first and the last look at which so many recordings were in flight.

    Raises:
        ValueError: there were not two.
    """
    busy = [look for look in looks if look.in_flight >= least_in_flight]
    if len(busy) < 2:
        raise ValueError(f"fewer than two looks with {least_in_flight} recordings in flight")
    return busy[0], busy[-1]


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
