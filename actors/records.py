"""The records that travel between the processes and lie in Redis."""

import enum
from typing import Literal

from msgspec import Struct

#: The sample rate of all audio past the decoder.
SAMPLE_RATE_HZ = 16_000

#: No segment is longer: it bounds memory and latency, and Whisper hears 30 s at most.
MAX_SEGMENT_MS = 30_000

#: Recordings up to this length travel in the short lane.
SHORT_RECORDING_MS = 60_000

Language = Literal["auto", "zh", "en", "ja", "ko", "yue"]


class Lane(enum.StrEnum):
    """Which of a step's two queues a message travels in; every worker serves the short one first."""

    SHORT = "short"
    LONG = "long"


class JobState(enum.StrEnum):
    """Where a job stands: `queued → running → done | failed | cancelled`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing further will happen to the job."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class CallbackState(enum.StrEnum):
    """How far it has got that a job's end is told: `pending → delivered | failed`."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Replacement(Struct, frozen=True, array_like=True):
    """What a model mishears, and what it shall be."""

    misheard: str
    right: str


class Options(Struct, frozen=True, kw_only=True):
    """What the client asked for."""

    language: Language = "auto"
    #: Inverse text normalisation: "twenty five" becomes "25".
    itn: bool = True
    #: Whether the text has punctuation.
    punctuation: bool = True
    #: What is put right in the text and its words.
    replacements: tuple[Replacement, ...] = ()
    #: Cut by voice activity; without it the whole recording is recognised.
    vad: bool = True


class Job(Struct, frozen=True, kw_only=True):
    """One upload on its way to a transcript. Times are Unix milliseconds."""

    id: str
    state: JobState
    options: Options
    created_ms: int
    started_ms: int | None = None
    ended_ms: int | None = None
    #: When the last step of the job happened: a segment cut or finished, or a change of state.
    progress_ms: int
    #: Bytes of the upload, which lies in Redis in chunks.
    upload_bytes: int
    #: Who has sent it; "" where nobody has to say.
    caller: str = ""
    #: The caller's own name for the request, behind its own: sent again with it, it is the same job.
    key: str | None = None
    #: The recording's length as far as its first bytes tell, or a guess from its size.
    expected_ms: int = 0
    #: The recording's length as its container claims it, which may be wrong; 0 where it does not.
    claimed_ms: int = 0
    #: Where the last segment cut so far ends; the recording's length once `cut` is true.
    audio_ms: int = 0
    #: Whether the segmenter has reached the end, so that `segments` is final.
    cut: bool = False
    segments: int = 0
    finished: int = 0
    #: Of the finished segments, those that could not be recognised.
    failed: int = 0
    #: Milliseconds of speech in the segments, and in the finished ones.
    cut_ms: int = 0
    finished_ms: int = 0
    #: Why the job failed, and the HTTP status that says so.
    error: str | None = None
    error_status: int | None = None
    #: The URL to tell of the end, how often that was tried, and why the last try failed.
    callback: str | None = None
    callback_state: CallbackState | None = None
    callback_tries: int = 0
    callback_error: str | None = None


class Segment(Struct, frozen=True, array_like=True):
    """A span of a job's audio; times count from the start of the recording."""

    index: int
    start_ms: int
    end_ms: int

    @property
    def duration_ms(self) -> int:
        """Length of the span."""
        return self.end_ms - self.start_ms


class Word(Struct, frozen=True):
    """A word or token with its times, counted from the start of its segment."""

    text: str
    start_ms: int
    end_ms: int


class Utterance(Struct, frozen=True, kw_only=True):
    """What an instance heard in one segment."""

    text: str
    language: str
    emotion: str | None = None
    event: str | None = None
    words: tuple[Word, ...] | None = None
    instance: str
    took_ms: float


class Line(Struct, frozen=True, kw_only=True):
    """One segment of a transcript: the span and either what was heard or why it failed."""

    segment: Segment
    utterance: Utterance | None = None
    error: str | None = None


class Stats(Struct, frozen=True, kw_only=True):
    """How the segments of a job fared."""

    total_segments: int
    successful_segments: int
    failed_segments: int
    #: Between 0 and 1; 1 where there was nothing to recognise.
    success_rate: float


class Transcript(Struct, frozen=True, kw_only=True):
    """A job's result: its lines in the order of their times."""

    lines: tuple[Line, ...]
    stats: Stats
    audio_ms: int


class JobEvent(Struct, frozen=True, kw_only=True):
    """A job has moved: it changed its state, or one more of its segments is finished."""

    job: str
    state: JobState
    finished: int | None = None


class WorkerState(enum.StrEnum):
    """How far a worker process has got."""

    LOADING = "loading"
    READY = "ready"
    ERROR = "error"


class Capabilities(Struct, frozen=True, kw_only=True):
    """What an engine can do; every instance publishes it, so that the API can refuse what none can."""

    model: str
    languages: tuple[Language, ...]
    itn: bool
    emotion: bool
    words: bool


class WorkerReport(Struct, frozen=True, kw_only=True):
    """What an instance or a segmenter says of itself, every `HEARTBEAT_S`."""

    #: As `actors/names.py` makes it: `instance-1`, or `instance-1@gpu-2`.
    name: str
    state: WorkerState
    host: str
    pid: int
    device: str
    #: What an instance's engine can do, once it is loaded.
    capabilities: Capabilities | None = None
    #: Whether it leaves long recordings to other instances.
    express: bool = False
    #: Why the state is `error`; while it is `loading`, why the process before this one was,
    #: or that it ended without being told to; in any state, that another process has its name.
    reason: str | None = None
    #: Memory of the process on the host and, where that is known, on its GPU.
    rss_mb: int
    gpu_mb: int | None = None
    started_ms: int
    beat_ms: int
