"""A job's way through Redis: every step may run twice, and nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import numpy as np
import pytest
import redis
from dramatiq.results.backends.redis import RedisBackend

from actors.clock import now_ms
from actors.errors import UnreadableAudio
from actors.queue.messages import recognize_segment
from actors.records import Job, JobState, Line, Options, Segment, Stats, Transcript, Utterance
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.jobs import JobStore, sweep
from actors.store.limits import LimitReached, Limits
from actors.store.uploads import UploadFile
from actors.store.work import WorkStore

#: Room for 4 MiB.
LIMITS = Limits(spool_bytes=4 << 20, backlog_ms=3_600_000)

SAMPLES = np.arange(1600, dtype=np.int16)
HEARD = Utterance(text="hello", language="en", instance="instance-1", took_ms=1.0)
EMPTY = Transcript(
    lines=(),
    stats=Stats(total_segments=0, successful_segments=0, failed_segments=0, success_rate=1.0),
    audio_ms=0,
)


def new_job(upload_bytes: int, job_id: str = "j1") -> Job:
    """A job as the API makes it."""
    return Job(
        id=job_id,
        state=JobState.QUEUED,
        options=Options(language="zh"),
        created_ms=now_ms(),
        progress_ms=now_ms(),
        upload_bytes=upload_bytes,
    )


async def chunks_of(upload: bytes) -> AsyncIterator[bytes]:
    """The upload as the API hands it to the store."""
    for start in range(0, len(upload), keys.CHUNK_BYTES):
        yield upload[start : start + keys.CHUNK_BYTES]


@pytest.fixture
async def jobs(config: Settings) -> AsyncIterator[JobStore]:
    """The store as the API uses it."""
    async with prompt(config) as connected:
        yield JobStore(connected, result_ttl_s=60, limits=LIMITS)


@pytest.fixture
def work(client: redis.Redis) -> WorkStore:
    """The store as the workers use it."""
    return WorkStore(client, result_ttl_s=60)


def spool_bytes(client: redis.Redis) -> int:
    """What the spool says it holds."""
    return int(client.hget(keys.SPOOL, "total") or 0)


async def test_upload_is_read_back_as_a_file(jobs: JobStore, work: WorkStore) -> None:
    """What was put in in chunks can be read and sought like a file on disk."""
    upload = np.random.default_rng(1).bytes(2 * keys.CHUNK_BYTES + 100)
    await jobs.admit(new_job(len(upload)), chunks_of(upload))

    file = UploadFile(work, "j1", len(upload))

    assert file.readall() == upload
    assert file.seek(-50, 2) == len(upload) - 50
    assert file.read(100) == upload[-50:]
    assert file.seek(keys.CHUNK_BYTES - 1) == keys.CHUNK_BYTES - 1
    assert file.read(1) == upload[keys.CHUNK_BYTES - 1 : keys.CHUNK_BYTES]


def test_upload_is_not_read_to_and_fro(work: WorkStore, client: redis.Redis) -> None:
    """A file whose parts lie in an absurd order does not have its chunks fetched a million times."""
    client.hset(keys.JobKeys.of("j1").upload, mapping={str(number): b"a" for number in range(6)})
    file = UploadFile(work, "j1", 6 * keys.CHUNK_BYTES)

    def read_chunk(turn: int) -> None:
        file.seek(turn % 6 * keys.CHUNK_BYTES)
        assert file.read(1) == b"a"

    for turn in range(6 * 8):  # several readings are no offence
        read_chunk(turn)
    with pytest.raises(UnreadableAudio, match="absurd order"):
        list(map(read_chunk, range(1_000)))


async def test_job_to_its_end(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """Two segments, finished out of order: the last is told to assemble, and only the record stays."""
    await jobs.admit(new_job(3), chunks_of(b"abc"))
    begun = work.begin("j1")
    assert begun is not None
    assert begun.job.state is JobState.RUNNING
    assert begun.job.options == Options(language="zh")
    assert begun.head == b"abc"
    assert await jobs.running(5) == [begun.job]
    assert work.add_segment("j1", Segment(0, 0, 100), SAMPLES) == (True, 100)
    assert work.add_segment("j1", Segment(1, 200, 300), SAMPLES) == (True, 200)
    taken = work.take_segment("j1", 1)
    assert taken is not None
    assert np.array_equal(taken.samples, SAMPLES)

    assert work.finish_segment("j1", 1, heard=HEARD) is None
    assert work.close_cut(begun, 400) is None
    cut = work.finish_segment("j1", 0, "broken")
    assert cut is not None
    assert cut.job.audio_ms == 400
    assert cut.lines == (
        Line(segment=Segment(0, 0, 100), error="broken"),
        Line(segment=Segment(1, 200, 300), utterance=HEARD),
    )
    assert work.complete("j1", EMPTY)

    ended = await jobs.get("j1")
    assert ended is not None
    assert (ended.state, ended.segments, ended.finished, ended.failed) == (JobState.DONE, 2, 2, 1)
    assert (ended.audio_ms, ended.cut_ms, ended.finished_ms) == (400, 200, 200)
    assert await jobs.transcript("j1") == EMPTY
    assert await jobs.running(5) == []
    of = keys.JobKeys.of("j1")
    left = set(client.keys("asr:job:*"))
    assert left == {of.job.encode(), of.transcript.encode()}
    assert spool_bytes(client) == 0
    assert client.hgetall(keys.SPOOL) == {b"total": b"0"}


async def test_what_is_heard_lies_in_dramatiqs_result_backend(
    jobs: JobStore, work: WorkStore, client: redis.Redis
) -> None:
    """Under the message's name and for as long as results are kept, also where Redis has lost the scripts."""
    await jobs.admit(new_job(3), chunks_of(b"abc"))
    work.begin("j1")
    work.add_segment("j1", Segment(0, 0, 100), SAMPLES)
    client.script_flush()

    work.finish_segment("j1", 0, heard=HEARD)

    backend: Any = RedisBackend(  # type: ignore[no-untyped-call]
        client=client, namespace=keys.RESULT_NAMESPACE, use_namespace_prefix_keys=True
    )
    stored = backend.get_result(recognize_segment("j1", 0))
    assert msgspec.convert(stored, Utterance) == HEARD
    assert 0 < client.ttl(keys.results("j1") + "0") <= 60


async def test_a_claim_comes_with_the_first_segment(jobs: JobStore, work: WorkStore) -> None:
    """And what waits is counted by it from then on."""
    await jobs.admit(new_job(3), chunks_of(b"abc"))
    work.begin("j1")

    work.add_segment("j1", Segment(0, 0, 100), SAMPLES, claimed_ms=5000)

    job = work.job("j1")
    assert job is not None
    assert job.claimed_ms == 5000
    assert work.client.hget(keys.BACKLOG_SHORT, "j1") == b"5000"


async def test_every_step_twice(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """Messages are delivered at least once: a second delivery of any step changes nothing."""
    await jobs.admit(new_job(3), chunks_of(b"abc"))
    begun = work.begin("j1")
    assert begun is not None
    assert work.begin("j1") is not None
    for _ in range(2):
        assert work.add_segment("j1", Segment(0, 0, 100), SAMPLES) == (True, 100)
    for _ in range(2):
        work.close_cut(begun, 100)
    assert spool_bytes(client) == SAMPLES.nbytes
    for _ in range(2):
        assert work.finish_segment("j1", 0), "whoever comes again must assemble too: the first may have died"
    assert work.add_segment("j1", Segment(0, 0, 100), SAMPLES) == (False, 0)

    assert [work.complete("j1", EMPTY) for _ in range(2)] == [True, False]
    assert not work.fail("j1", UnreadableAudio("too late"))

    ended = await jobs.get("j1")
    assert ended is not None
    assert (ended.state, ended.segments, ended.finished, ended.error) == (JobState.DONE, 1, 1, None)
    assert client.hget(keys.STATS, "jobs:done") == b"1"
    assert spool_bytes(client) == 0


async def test_an_ended_job_takes_nothing(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """Once a job has failed, its segmenter and instances are told so, and store nothing."""
    await jobs.admit(new_job(3), chunks_of(b"abc"))
    work.begin("j1")
    work.add_segment("j1", Segment(0, 0, 100), SAMPLES)
    assert work.fail("j1", UnreadableAudio("damaged"))

    assert work.begin("j1") is None
    assert work.add_segment("j1", Segment(1, 100, 200), SAMPLES) is None
    assert work.take_segment("j1", 0) is None
    assert not work.finish_segment("j1", 0)
    failed = await jobs.get("j1")
    assert failed is not None
    assert (failed.state, failed.error, failed.error_status) == (JobState.FAILED, "damaged", 422)
    assert spool_bytes(client) == 0


async def test_spool_is_bounded(jobs: JobStore, work: WorkStore) -> None:
    """An upload that does not fit is refused, and fits once another job has ended."""
    await jobs.admit(new_job(3 << 20, "first"), chunks_of(bytes(3 << 20)))
    with pytest.raises(LimitReached):
        await jobs.admit(new_job(2 << 20, "second"), chunks_of(bytes(2 << 20)))
    assert await jobs.get("second") is None
    work.fail("first", UnreadableAudio("gone"))

    await jobs.admit(new_job(2 << 20, "second"), chunks_of(bytes(2 << 20)))

    assert await jobs.get("second") is not None


async def test_abandoned_uploads_are_swept(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """An upload that expires before its job was enqueued frees its place; jobs that live keep theirs."""
    await jobs.admit(new_job(3, "abandoned"), chunks_of(b"abc"))
    await jobs.admit(new_job(2, "alive"), chunks_of(b"ab"))
    assert 0 < client.ttl(keys.JobKeys.of("abandoned").job) <= keys.ADMISSION_TTL_S
    await jobs.keep("alive")
    client.delete(keys.JobKeys.of("abandoned").job)

    assert await sweep(jobs.client) == 3

    assert client.hgetall(keys.SPOOL) == {b"total": b"2", b"alive": b"2"}
    assert work.begin("alive") is not None


async def test_an_upload_that_breaks_off_holds_nothing(jobs: JobStore, client: redis.Redis) -> None:
    """What was stored of it is freed at once, not when it expires."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"abc"
        raise redis.TimeoutError("Redis is away for a moment")

    with pytest.raises(redis.TimeoutError):
        await jobs.admit(new_job(6), breaking())

    assert spool_bytes(client) == 0
    assert client.keys("asr:job:*:upload") == []


async def test_more_uploads_at_once_than_connections(jobs: JobStore, client: redis.Redis) -> None:
    """Those beyond the pool wait for a connection instead of failing."""
    await asyncio.gather(*(jobs.admit(new_job(3, f"j{n}"), chunks_of(b"abc")) for n in range(200)))

    assert spool_bytes(client) == 600
