"""What the plan and the simulation rest on: figures that were measured, and on what."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from loadtest.records import Hardware

#: What `python -m loadtest.capacity.measure` found on the machine of docs/performance.md.
RECORDED: Final = Path(__file__).with_name("measured.json")


class BadFigures(Exception):
    """A file has no figures to plan with; the message says why."""


class Cost(Struct, frozen=True):
    """What requests cost, in whatever unit: so much each, and so much a second of their recordings."""

    per_request: float
    per_audio_s: float

    def of(self, requests: float, audio_s: float) -> float:
        """What so many of both cost."""
        return self.per_request * requests + self.per_audio_s * audio_s


class Costs(Struct, frozen=True, kw_only=True):
    """What a recording costs besides the engine; processor seconds unless its name says otherwise."""

    api: Cost
    segmenter: Cost
    #: Of the instances, what is not their engine's.
    instance: Cost
    redis: Cost
    #: Of those who send, which share the cores where it was measured.
    load: Cost
    redis_commands: Cost
    redis_in_bytes: Cost
    redis_out_bytes: Cost
    #: Memory of Redis for what waits for a segmenter, and for what is kept of a job that is done.
    queued_bytes: Cost
    kept_bytes: Cost


class EngineTimes(Struct, frozen=True, kw_only=True):
    """How long an engine takes for a batch with so many threads to itself, by least squares."""

    threads: int
    per_batch_s: float
    per_row_s: float
    per_audio_s: float

    def batch_s(self, rows: int, audio_s: float) -> float:
        """Seconds by the clock."""
        return self.per_batch_s + self.per_row_s * rows + self.per_audio_s * audio_s


class Recording(Struct, frozen=True, kw_only=True):
    """A recording as the segmenter sees it: its length, and the end and the length of each segment."""

    name: str
    audio_s: float
    segments: tuple[tuple[float, float], ...]

    @property
    def speech_s(self) -> float:
        """What is recognised of it."""
        return sum(length_s for _, length_s in self.segments)


class Run(Struct, frozen=True, kw_only=True):
    """A load on a service with so many instances, and what became of it; medians of the rounds."""

    instances: int
    #: Closed loop where above 0, with so many requests of each user; else Poisson arrivals.
    users: int = 0
    requests_per_user: int = 0
    rate_per_s: float = 0
    duration_s: float = 0
    seed: int = 0
    #: What was measured, in each round; empty where it was not.
    rtfx: tuple[float, ...] = ()
    p50_s: tuple[float, ...] = ()
    p95_s: tuple[float, ...] = ()


class Measured(Struct, frozen=True, kw_only=True):
    """Everything that was measured, on one machine."""

    commit: str
    hardware: Hardware
    model: str
    #: Unix milliseconds.
    began_ms: int
    costs: Costs
    #: Of an engine with one thread while every core has one, and with all cores to itself.
    engines: tuple[EngineTimes, ...]
    #: Processor time of an engine's batches in the service ÷ that of the same by itself.
    crowding: float
    #: Of a core of Redis, what an instance takes that has nothing to do.
    redis_per_instance: float
    #: What was sent, by name.
    recordings: tuple[Recording, ...]
    runs: tuple[Run, ...] = ()

    def engine(self, threads: int) -> EngineTimes:
        """That with so many threads, or the next lower number that was measured."""
        fitting = [one for one in self.engines if one.threads <= threads]
        return max(fitting or self.engines, key=lambda one: one.threads)

    def fewest(self, cores: int) -> int:
        """The fewest instances that share so many cores with as many threads each as were measured."""
        return cores // max(one.threads for one in self.engines if one.threads <= cores)

    @property
    def source(self) -> str:
        """Where it was measured, in words."""
        return f"{self.hardware.cores} cores of {self.hardware.cpu}, {self.model}, commit {self.commit}"


def read(path: Path = RECORDED) -> Measured:
    """What a measurement left behind.

    Raises:
        BadFigures: the file is none of it.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Measured)
    except (OSError, msgspec.DecodeError) as error:
        raise BadFigures(f"{path} has no figures of loadtest.capacity.measure: {error}") from error


def write(path: Path, found: Measured) -> None:
    """Keep it, readable."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def named(costs: Costs) -> Mapping[str, Cost]:
    """The costs by name."""
    return {name: getattr(costs, name) for name in Costs.__struct_fields__}
