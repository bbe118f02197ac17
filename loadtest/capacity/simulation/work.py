"""What goes through the pipeline."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from simpy import Environment

from actors.batcher import Request
from actors.engines.base import Row
from actors.records import SAMPLE_RATE_HZ, Lane
from loadtest.capacity.measured import Cost, Recording

#: Recordings that are longer go by the long lane.
LONG_S: Final = 60.0

#: Rows of any length without the memory: what counts is how many samples there are.
_SAMPLE: Final = np.zeros(1, np.float32)


class Job:
    """A recording on its way."""

    def __init__(self, recording: Recording, env: Environment) -> None:
        self.recording = recording
        self.due_s = env.now
        #: Its last segment is finished; its answer is out.
        self.recognised = env.event()
        self.answered = env.event()
        self.is_cut = False
        self.lane = Lane.LONG if recording.audio_s > LONG_S else Lane.SHORT
        #: Segments, and seconds of them, that are cut and not finished.
        self.unfinished = 0
        self.ahead_s = 0.0


class Part(Struct, eq=False):
    """A segment on its way."""

    job: Job
    audio_s: float
    enqueued_s: float
    request: Request

    @property
    def lane(self) -> Lane:
        """The lane of its recording."""
        return self.job.lane

    @property
    def share(self) -> float:
        """Its share of its recording's request, which costs something by itself."""
        return 1 / len(self.job.recording.segments)

    def cost(self, cost: Cost) -> float:
        """Its share of what its recording costs."""
        return self.share * cost.of(1, self.job.recording.audio_s)


class Served(Struct, frozen=True):
    """A recording that has been answered."""

    recording: Recording
    due_s: float
    ended_s: float

    @property
    def latency_s(self) -> float:
        """From when it was due."""
        return self.ended_s - self.due_s


def part(job: Job, audio_s: float, now_s: float) -> Part:
    """A segment as it is enqueued."""
    samples = np.broadcast_to(_SAMPLE, (round(audio_s * SAMPLE_RATE_HZ),))
    row = Row(samples=samples, language="auto", itn=True)
    return Part(job, audio_s, now_s, Request(row=row, urgent=job.lane is Lane.SHORT))


def audio_s(parts: Sequence[Part]) -> float:
    """Their length in all."""
    return sum(one.audio_s for one in parts)
