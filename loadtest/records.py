"""What a run leaves behind, and nothing that is computed from it; all times in seconds after its start."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from loadtest.plan import Plan

#: The outcome of a request that was answered well; others name the class of the error.
OK: Final = "ok"

#: The outcome of a request that the runner gave up.
TIMEOUT: Final = "timeout"


class Sample(Struct, frozen=True, kw_only=True):
    """One request and what became of it."""

    #: The recording that was sent, and how long it is.
    recording: str
    audio_s: float
    #: When it was to be sent; in a closed loop, when it was.
    due_s: float
    sent_s: float
    ended_s: float
    #: When the first segment was heard of; null where the answer is not streamed.
    first_segment_s: float | None = None
    #: The HTTP status; 0 where no answer came.
    status: int
    #: `ok`, or the class of the error: `timeout`, `connection`, the status ("429"), `failed segments`,
    #: `wrong text`, `unreadable answer`.
    outcome: str
    #: What the service gave as the reason, at most 200 characters.
    reason: str = ""
    segments: int = 0
    #: Whether the text is that of the recording alone; null where that is not known.
    exact: bool | None = None
    #: Word (zh, ja, yue: character) error rate against the reference; null where there is none.
    error_rate: float | None = None

    @property
    def latency_s(self) -> float:
        """From when it was due: a request that could not be sent in time has waited, too.

        Tene, "How NOT to Measure Latency": measured from when it was sent, a stalled service looks fast.
        """
        return self.ended_s - self.due_s

    @property
    def service_s(self) -> float:
        """From when it was sent."""
        return self.ended_s - self.sent_s


class Usage(Struct, frozen=True, kw_only=True):
    """What a process of the service uses."""

    cpu_cores: float
    rss_mb: float
    gpu_mb: float | None = None


class GpuUsage(Struct, frozen=True, kw_only=True):
    """How busy a GPU is, 0 to 1, and what of its memory is used."""

    index: int
    utilisation: float | None
    memory_mb: float | None


class Look(Struct, frozen=True, kw_only=True):
    """How the service was at a moment."""

    at_s: float
    #: How long `/health` took; null where it did not answer.
    health_s: float | None
    #: `healthy`, `degraded`, `unhealthy`, or `away`.
    health: str
    #: Null where the service did not say, be it too busy or another one; so below.
    healthy_instances: int | None = None
    waiting_jobs: int | None = None
    running_jobs: int | None = None
    segments_waiting: int | None = None
    oldest_s: float | None = None
    #: Instance → whether its engine is at work.
    busy: Mapping[str, bool] = {}
    #: Of this machine, 0 to 1.
    cpu: float = 0
    #: Process → what it uses; empty where the service runs on another machine.
    processes: Mapping[str, Usage] = {}
    gpus: tuple[GpuUsage, ...] = ()


class Service(Struct, frozen=True, kw_only=True):
    """What was measured."""

    url: str
    model: str | None = None
    instances: int | None = None
    devices: tuple[str, ...] = ()
    version: str | None = None


class Hardware(Struct, frozen=True, kw_only=True):
    """The machine that the load came from, which is the service's own unless it was another's."""

    cpu: str
    cores: int
    memory_mb: int
    gpus: tuple[str, ...] = ()


class Counted(Struct, frozen=True, kw_only=True):
    """What the service itself has counted during the run, from `/metrics` before and after it."""

    #: Status class (`2xx`, `4xx`, `5xx`) → requests.
    requests: Mapping[str, int]
    audio_s: float
    #: Stage (`queue`, `decode`, `vad`, …) → counts by bucket of `actors.histogram`.
    stages: Mapping[str, tuple[int, ...]]
    #: How long the requests of `2xx` took by the service's clock, from head to end, in all.
    answered_s: float


class Step(Struct, frozen=True, kw_only=True):
    """A stretch of a run at one rate, once it was known whether the service bore it."""

    rate_per_s: float
    began_s: float
    ended_s: float
    #: Whether its requests kept within the limits of the plan.
    borne: bool


class Run(Struct, frozen=True, kw_only=True):
    """A whole run."""

    plan: Plan
    service: Service
    hardware: Hardware
    #: Unix milliseconds.
    began_ms: int
    took_s: float
    #: Whether somebody ended it before its time.
    interrupted: bool
    samples: tuple[Sample, ...]
    looks: tuple[Look, ...]
    #: Null where the service does not say.
    counted: Counted | None
    #: Rates in the order in which they were tried; empty unless the rate was raised step by step.
    steps: tuple[Step, ...] = ()
    #: What the runner itself used.
    runner_cpu_s: float
