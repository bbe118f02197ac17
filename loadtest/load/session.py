"""What all users of a run share: what to send, and what became of it."""

import time
from collections.abc import Sequence
from itertools import count, zip_longest
from typing import Final

import msgspec
import numpy as np
from gevent.pool import Group
from msgspec import Struct

from loadtest.corpus import Recording
from loadtest.load.answers import WRONG_TEXT, Answer
from loadtest.load.bodies import body
from loadtest.load.exchange import Reply, Target
from loadtest.plan import Plan
from loadtest.records import OK, Sample, Step

#: Recordings of which each is sent once alone before the run, and how long they may be.
ALONE: Final = 50
ALONE_S: Final = 60.0


class Heard(Struct, frozen=True):
    """A request, and the text that came."""

    sample: Sample
    recording: Recording
    text: str


class Session:
    """Sends recordings, in an order that the seed decides, and keeps what comes back."""

    def __init__(self, plan: Plan, recordings: Sequence[Recording], target: Target) -> None:
        self.plan = plan
        self.heard: list[Heard] = []
        self.steps: list[Step] = []
        #: At which requests arrive now, where the rate is raised.
        self.rate_per_s: float | None = None
        #: Number of a request → when it was due, while it is under way.
        self.open: dict[int, float] = {}
        #: The greenlets of an open loop's requests.
        self.requests = Group()
        self._target = target
        order = np.random.default_rng(plan.seed).permutation(len(recordings))
        self._recordings = [recordings[index] for index in order]
        self._bodies = [body(recording, plan) for recording in self._recordings]
        #: Name of a recording → its text when it was sent alone.
        self._alone: dict[str, str] = {}
        self._numbers = count()
        self._began_s = time.perf_counter()

    def begin(self) -> None:
        """Let the run begin now."""
        self._began_s = time.perf_counter()

    def now_s(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._began_s

    def alone(self) -> list[int]:
        """The recordings that are to be sent alone."""
        short = [index for index, one in enumerate(self._recordings) if one.audio_s <= ALONE_S]
        return short[:ALONE]

    def send_alone(self, index: int) -> Reply:
        """Send a recording while nothing else is, and know its text from then on."""
        reply = self._target.send(self._bodies[index])
        if reply.answer.outcome == OK:
            self._alone[self._recordings[index].name] = reply.answer.text
        return reply

    def request(self, due_s: float | None = None) -> Sample:
        """Send the next recording, now if it is not said when it was due."""
        number = next(self._numbers)
        index = number % len(self._bodies)
        sent_s = self.now_s()
        self.open[number] = due_s = sent_s if due_s is None else due_s
        try:
            reply = self._target.send(self._bodies[index])
            ended_s = self.now_s()
        finally:
            del self.open[number]
        recording = self._recordings[index]
        answer, exact = self._compared(recording, reply.answer)
        sample = Sample(
            recording=recording.name,
            audio_s=recording.audio_s,
            due_s=due_s,
            sent_s=sent_s,
            ended_s=ended_s,
            first_segment_s=self._since_began(reply.first_segment_s),
            status=reply.status,
            outcome=answer.outcome,
            reason=answer.reason,
            segments=answer.segments,
            exact=exact,
        )
        self.heard.append(Heard(sample, recording, answer.text))
        return sample

    def _compared(self, recording: Recording, answer: Answer) -> tuple[Answer, bool | None]:
        """The answer, and whether its text is that of the recording alone; one that is not is an error."""
        alone = self._alone.get(recording.name)
        if alone is None or answer.outcome != OK:
            return answer, None
        if answer.text == alone:
            return msgspec.structs.replace(answer, text=alone), True  # the same string, held once
        why = _difference(answer.text, alone)
        return msgspec.structs.replace(answer, outcome=WRONG_TEXT, reason=why), False

    def _since_began(self, at_s: float | None) -> float | None:
        return None if at_s is None else at_s - self._began_s


def _difference(text: str, alone: str) -> str:
    """Where two texts begin to differ."""
    pairs = zip_longest(text, alone)
    at = next(index for index, (one, other) in enumerate(pairs) if one != other)
    return f"{text[at : at + 60]!r} at {at}, alone {alone[at : at + 60]!r}"
