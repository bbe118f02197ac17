"""Everything that the processes measure of themselves, by name; `/metrics` adds what it computes at once."""

import enum
from typing import Final

from actors.meters import Counter, Histogram, Label, Metric


class Endpoint(enum.StrEnum):
    """The endpoints that take recordings in; what only asks is not measured."""

    ASR = "asr"
    ASR_SIMPLE = "asr_simple"
    JOBS = "jobs"
    OPENAI = "openai"


#: Of these the answer has the transcript, so that their latency is that of recognition.
SYNCHRONOUS: Final = (Endpoint.ASR, Endpoint.ASR_SIMPLE, Endpoint.OPENAI)


class Status(enum.StrEnum):
    """The class of an HTTP status; only `5xx` is the service's fault."""

    OK = "2xx"
    REFUSED = "4xx"
    FAILED = "5xx"


class Stage(enum.StrEnum):
    """The stages that a recording goes through, in order."""

    #: From when the job was made, its upload included, until a segmenter takes it.
    QUEUE = "queue"
    #: Decoding all of a recording, and reading its upload.
    DECODE = "decode"
    #: Finding its speech, and cutting.
    VAD = "vad"
    #: From when a segment of a short recording was enqueued until an engine begins it; those of a long one
    #: wait for each other.
    WAIT = "wait"
    #: A segment's share of the time that the engine takes for its batch.
    RECOGNISE = "recognise"
    #: From the finished segments to the transcript.
    ASSEMBLE = "assemble"


class Outcome(enum.StrEnum):
    """How a segment ended."""

    RECOGNISED = "recognised"
    FAILED = "failed"


_ENDPOINT: Final = Label("endpoint", tuple(Endpoint))

REQUESTS: Final = Counter(
    "asr_requests_total", "Uploads answered.", (_ENDPOINT, Label("status", tuple(Status)))
)
REQUEST_S: Final = Histogram(
    "asr_request_duration_seconds", "From the head of a request to the end of its answer.", (_ENDPOINT,)
)
UPLOADED: Final = Counter("asr_upload_bytes_total", "Bytes of the recordings taken in.")
STAGE_S: Final = Histogram(
    "asr_stage_duration_seconds", "Time a job or segment spends in a stage.", (Label("stage", tuple(Stage)),)
)
SEGMENTS: Final = Counter(
    "asr_segments_total", "Segments that have ended.", (Label("outcome", tuple(Outcome)),)
)
AUDIO_S: Final = Counter("asr_audio_seconds_total", "Seconds of audio recognised.", per_unit=1000)
BATCH_ROWS: Final = Histogram("asr_batch_rows", "Segments recognised at once.")
#: The actors whose messages are tried again when they fail.
STEPS: Final = ("segment", "recognize", "callback")
RETRIES: Final = Counter(
    "asr_retries_total", "Steps that failed and are tried again.", (Label("step", STEPS),)
)

#: All of them: another one is another line above and a name here.
METRICS: Final[tuple[Metric, ...]] = (
    REQUESTS,
    REQUEST_S,
    UPLOADED,
    STAGE_S,
    SEGMENTS,
    AUDIO_S,
    BATCH_ROWS,
    RETRIES,
)
