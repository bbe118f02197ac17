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
| `asr:running`           | sorted  | job id → when a segmenter took it, Unix milliseconds               |
| `asr:stats`             | hash    | `<instance>:<counter>` and `jobs:<state>`, counted for ever        |
| `asr:workers`           | hash    | worker name → `records.WorkerReport` as JSON                       |
| `asr:busy-instances`    | set     | the instances whose engine is at work                              |
| `asr:deliveries:{id}`   | set     | the processes that have begun a message (an hour)                  |
| `asr:events`            | channel | `records.JobEvent` as JSON whenever a job moves                    |

`asr:result:*` are the results of segments in Dramatiq's result backend (`actors/results.py`), until their
job is assembled. In Dramatiq's database `dramatiq:<queue>.bell` are the doorbells (`actors/queue/broker.py`).

Only the Lua scripts beside this file change a job's hash, so each transition is atomic; their first
lines name their keys and arguments.
"""

from msgspec import Struct

#: Bytes of an upload in one field of its hash.
CHUNK_BYTES = 1 << 20

#: Until a job is enqueued its keys live this long; the monitor then takes it off the spool.
ADMISSION_TTL_S = 600

#: The processes that have begun a message are remembered this long.
DELIVERIES_TTL_S = 3600

JOB_PREFIX = "asr:job:"
SPOOL = "asr:spool"
RUNNING = "asr:running"
STATS = "asr:stats"
WORKERS = "asr:workers"
BUSY = "asr:busy-instances"
EVENTS = "asr:events"


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


def deliveries(message_id: str) -> str:
    """The key of the processes that have begun a message."""
    return f"asr:deliveries:{message_id}"
