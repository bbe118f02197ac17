"""Every Redis key of ours, with what it holds, how long, and who may write it.

Jobs lie in the database that `ASR_REDIS_URL` names; Dramatiq's queues lie in the next one, because
its maintenance walks all keys of its database (see `connection.py`).

A job, all keys starting with `asr:job:{id}`:

| key            | type   | holds                                                | lives                    |
|----------------|--------|------------------------------------------------------|--------------------------|
| *(bare)*       | hash   | the fields of `records.Job`                          | `ASR_RESULT_TTL_S`       |
| `:upload`      | hash   | chunk number → at most `CHUNK_BYTES` of the upload   | until cut, at most a TTL |
| `:segments`    | hash   | index → `[start_ms, end_ms]` as JSON                 | until the job ends       |
| `:audio`       | hash   | index → 16-bit mono PCM of the segment               | until it is finished     |
| `:outcomes`    | hash   | index → "" or the reason why the segment failed      | until the job ends       |
| `:transcript`  | string | `records.Transcript` as JSON                         | `ASR_RESULT_TTL_S`       |

For all jobs together:

| key                     | type    | holds                                                              |
|-------------------------|---------|--------------------------------------------------------------------|
| `asr:spool`             | hash    | job id → bytes of audio it keeps in Redis; `total` is their sum    |
| `asr:queued`            | sorted  | job id → when it was enqueued, until a segmenter takes it          |
| `asr:running`           | sorted  | job id → when a segmenter took it, Unix milliseconds               |
| `asr:backlog:{lane}`    | hash    | job id → milliseconds of it that wait; `total` is their sum        |
| `asr:speed`             | hash    | audio recognised in the last 10 to 20 s with a backlog             |
| `asr:jobs`              | sorted  | `caller:id` → its place, as good as when it came, until it is swept    |
| `asr:jobs:{caller}`     | sorted  | job id → the same place: what the caller's list of jobs shows      |
| `asr:active:{caller}`   | set     | the caller's jobs that have not ended                              |
| `asr:rate:{caller}`     | string  | when the caller's next upload would be due at an even pace         |
| `asr:idempotency:{key}` | string  | the id of the job with this `caller:key`, a TTL beyond its end     |
| `asr:callbacks`         | sorted  | id of an ended job that is to be told of → when a try is due, ms   |
| `asr:stats`             | hash    | `<worker>:<counter>`, those of all forgotten ones as `gone`, and   |
|                         |         | `jobs:<state>`; counted for ever                                   |
| `asr:metrics`           | hash    | what `actors/metrics.py` names, by series, counted for ever        |
| `asr:flushed:{process}` | string  | the number of its last flush to `asr:metrics` (an hour)            |
| `asr:snapshots`         | sorted  | `monitoring.snapshot.Snapshot` as JSON → its time (an hour)        |
| `asr:alerts`            | string  | `monitoring.alerts.Book` as JSON; the monitor writes it            |
| `asr:workers`           | hash    | worker name → `records.WorkerReport` as JSON                       |
| `asr:gone`              | sorted  | worker of one of several hosts → when it left, until forgotten     |
| `asr:busy-instances`    | set     | the instances whose engine is at work                              |
| `asr:recycled`          | string  | the instance that starts itself anew, or a rolling restart         |
| `asr:deliveries:{id}`   | set     | the processes that have begun a message (an hour)                  |
| `asr:events`            | channel | `records.JobEvent` as JSON whenever a job moves                    |
| `asr:logs`              | stream  | `event` → an event of any process's log as JSON, the last 10,000   |

`asr:result:*` are the results of segments in Dramatiq's result backend (`actors/results.py`), until their
job ends. In Dramatiq's database `dramatiq:<queue>.bell` are the doorbells (`actors/queue/broker.py`),
and `dramatiq:turns.<cores>.<lane>` says which instances calculate; `dramatiq:turns.<cores>.bell` rings for
those that wait for a core, `dramatiq:recognize-express.bell` for the express ones (`actors/queue/turns.py`).

Only the Lua scripts beside this file change a job's hash, so each transition is atomic; their first
lines name their keys and arguments.
"""

from msgspec import Struct

#: Bytes of an upload in one field of its hash.
CHUNK_BYTES = 1 << 20

#: Until a job is enqueued its keys live this long after each chunk of the upload; the monitor then takes it
#: off the spool.
ADMISSION_TTL_S = 30

#: The processes that have begun a message are remembered this long.
DELIVERIES_TTL_S = 3600

#: What a process has last added to the metrics is remembered this long.
FLUSHED_TTL_S = 3600

#: About so many events of the logs are kept: Redis drops them a node at a time.
LOGS_KEPT = 10_000

#: An idempotency key whose job never ends is remembered this long, the longest that results can be kept.
NAMED_TTL_S = 2_592_000

JOB_PREFIX = "asr:job:"
NAMED_PREFIX = "asr:idempotency:"
#: Stands for no idempotency key, and is never written: every key has our prefix, which users may be bound to.
NOT_NAMED = NAMED_PREFIX
RESULT_NAMESPACE = "asr:result"
SPOOL = "asr:spool"
QUEUED = "asr:queued"
RUNNING = "asr:running"
JOBS = "asr:jobs"
JOBS_PREFIX = "asr:jobs:"
ACTIVE_PREFIX = "asr:active:"
BACKLOG_SHORT = "asr:backlog:short"
BACKLOG_LONG = "asr:backlog:long"
SPEED = "asr:speed"
CALLBACKS = "asr:callbacks"
STATS = "asr:stats"
METRICS = "asr:metrics"
SNAPSHOTS = "asr:snapshots"
ALERTS = "asr:alerts"
WORKERS = "asr:workers"
GONE = "asr:gone"
BUSY = "asr:busy-instances"
RECYCLED = "asr:recycled"
EVENTS = "asr:events"
LOGS = "asr:logs"


class JobKeys(Struct, frozen=True):
    """The keys of one job."""

    job: str
    upload: str
    segments: str
    audio: str
    outcomes: str
    transcript: str

    @classmethod
    def of(cls, job_id: str) -> "JobKeys":
        """The keys of the job with this id."""
        job = f"{JOB_PREFIX}{job_id}"
        return cls(
            job, f"{job}:upload", f"{job}:segments", f"{job}:audio", f"{job}:outcomes", f"{job}:transcript"
        )


def named(idempotency_key: str | None) -> str:
    """The key of the job that was sent with an idempotency key; `NOT_NAMED` for none."""
    return f"{NAMED_PREFIX}{idempotency_key}" if idempotency_key else NOT_NAMED


def jobs_of(caller: str) -> str:
    """The key of a caller's index of jobs."""
    return f"{JOBS_PREFIX}{caller}"


def active(caller: str) -> str:
    """The key of a caller's jobs that have not ended."""
    return f"{ACTIVE_PREFIX}{caller}"


def rate(caller: str) -> str:
    """The key of how fast a caller uploads."""
    return f"asr:rate:{caller}"


def results(job_id: str) -> str:
    """What the keys of a job's results start with; the index of the segment follows.

    So it is Dramatiq's result backend that names them.
    """
    return f"{RESULT_NAMESPACE}:recognize-short:recognize:{job_id}-"


def deliveries(message_id: str) -> str:
    """The key of the processes that have begun a message."""
    return f"asr:deliveries:{message_id}"


def flushed(process: str) -> str:
    """The key of the number of the flush that a process has added last to the metrics."""
    return f"asr:flushed:{process}"
