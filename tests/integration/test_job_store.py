"""Jobs by key, in line, in the index, cancelled: what Redis keeps of them, and what it does not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis
from msgspec.structs import replace

from actors.assemble import assemble
from actors.errors import UnreadableAudio
from actors.records import JobState, Segment
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.following import LINES_AT_ONCE, JobFollower, Page
from actors.store.jobs import JobStore, sweep
from actors.store.limits import LimitReached
from actors.store.work import WorkStore
from tests.integration.test_store import EMPTY, HEARD, LIMITS, SAMPLES, chunks_of, new_job, spool_bytes


@pytest.fixture
async def jobs(config: Settings) -> AsyncIterator[JobStore]:
    """The store as the API uses it."""
    async with prompt(config) as connected:
        yield JobStore(connected, result_ttl_s=60, limits=LIMITS)


@pytest.fixture
def follower(jobs: JobStore) -> JobFollower:
    """The store as followers use it."""
    return JobFollower(jobs.client)


@pytest.fixture
def work(client: redis.Redis) -> WorkStore:
    """The store as the workers use it."""
    return WorkStore(client, result_ttl_s=60)


async def admit(jobs: JobStore, job_id: str, key: str | None = None) -> str:
    """Admit and keep a job of three bytes."""
    admitted = await jobs.admit(replace(new_job(3, job_id), key=key), chunks_of(b"abc"))
    await jobs.keep(admitted)
    return admitted


def left(client: redis.Redis) -> set[bytes | str]:
    """All keys but those of all jobs together."""
    shared = (keys.SPOOL, keys.JOBS, keys.jobs_of(""), keys.STATS, keys.SPEED)
    lanes = (keys.BACKLOG_SHORT, keys.BACKLOG_LONG)
    return set(client.keys("asr:*")) - {key.encode() for key in (*shared, *lanes)}


async def test_a_key_names_one_job(jobs: JobStore, client: redis.Redis) -> None:
    """Whoever comes with it again gets the first job: while it is taken in, and once it is over."""
    first = replace(new_job(3, "first"), key="k")
    assert await jobs.admit(first, chunks_of(b"abc")) == "first"
    assert await admit(jobs, "second", "k") == "first"
    assert await admit(jobs, "other", "another key") == "other"
    assert await jobs.get("second") is None
    WorkStore(client, 60).fail("first", UnreadableAudio("damaged"))

    assert await admit(jobs, "third", "k") == "first"

    assert 0 < client.ttl(keys.named("k")) <= 60, "the key is kept as long as the ended job"
    client.delete(keys.JobKeys.of("first").job)
    assert await admit(jobs, "fourth", "k") == "fourth", "the first has expired"
    assert spool_bytes(client) == 6


async def test_one_key_many_times_at_once(jobs: JobStore, client: redis.Redis) -> None:
    """One of them becomes the job, and only one upload is kept."""
    admitted = await asyncio.gather(*(admit(jobs, f"j{n}", "k") for n in range(50)))

    assert len(set(admitted)) == 1
    assert len(client.keys("asr:job:*:upload")) == 1
    assert spool_bytes(client) == 3


async def test_a_key_is_free_again_after_a_broken_upload(jobs: JobStore, client: redis.Redis) -> None:
    """Nothing is left of the job, so that the client can try again."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"abc"
        raise redis.TimeoutError("Redis is away for a moment")

    with pytest.raises(redis.TimeoutError):
        await jobs.admit(replace(new_job(6, "first"), key="k"), breaking())

    assert left(client) == set()
    assert client.zcard(keys.JOBS) == 0
    assert await admit(jobs, "second", "k") == "second"


async def test_a_key_is_not_taken_by_a_full_spool(jobs: JobStore) -> None:
    """The request that was refused can be sent again."""
    await jobs.admit(new_job(4 << 20, "large"), chunks_of(b""))
    with pytest.raises(LimitReached):
        await admit(jobs, "first", "k")
    await jobs.cancel("large")

    assert await admit(jobs, "second", "k") == "second"


async def test_the_line(jobs: JobStore, work: WorkStore, follower: JobFollower) -> None:
    """Jobs wait in the order in which they were enqueued, and move up."""
    await jobs.admit(new_job(3, "uploading"), chunks_of(b"abc"))
    for name in ("a", "b", "c"):
        await admit(jobs, name)
        await asyncio.sleep(0.002)

    async def positions() -> list[int | None]:
        standings = [await follower.standing(name) for name in ("uploading", "a", "b", "c")]
        return [standing.position for standing in standings if standing is not None]

    assert await positions() == [None, 1, 2, 3]
    work.begin("a")
    assert await positions() == [None, None, 1, 2]
    await jobs.keep("a")
    await jobs.cancel("b")
    assert await positions() == [None, None, None, 1]


async def test_pages(jobs: JobStore, follower: JobFollower, work: WorkStore) -> None:
    """Newest first, each job once however many come meanwhile, also those of the same millisecond."""
    old = [f"j{n}" for n in range(7)]
    for name in old:
        await jobs.admit(replace(new_job(3, name), created_ms=1_700_000_000_000), chunks_of(b"abc"))
    for name in old[::2]:
        work.begin(name)

    first = await follower.page("", 3)
    await admit(jobs, "later")
    second = await follower.page("", 3, before=first.next)
    third = await follower.page("", 3, before=second.next)
    running = await follower.page("", 2, JobState.RUNNING)
    more = await follower.page("", 9, JobState.RUNNING, running.next)

    def ids(*pages: Page) -> list[str]:
        return [standing.job.id for page in pages for standing in page.standings]

    assert ids(first, second, third) == old[::-1]
    assert third.next is None
    assert ids(running, more) == old[::-2]


async def test_few_in_a_long_index(jobs: JobStore, follower: JobFollower, work: WorkStore) -> None:
    """What is rare is found behind the jobs that one request looks at."""
    await admit(jobs, "rare")
    work.begin("rare")
    for n in range(1100):  # in turn: so many at once could keep the connections from being made in time
        await jobs.admit(new_job(3, f"j{n}"), chunks_of(b""))

    first = await follower.page("", 5, JobState.RUNNING)
    second = await follower.page("", 5, JobState.RUNNING, first.next)

    assert first.standings == ()
    assert [standing.job.id for standing in second.standings] == ["rare"]


async def test_what_expired_before_it_was_kept(jobs: JobStore, client: redis.Redis) -> None:
    """Its client is not told that it was taken in; one that was cancelled meanwhile was."""
    await jobs.admit(new_job(3, "late"), chunks_of(b"abc"))
    client.delete(keys.JobKeys.of("late").job)
    await jobs.admit(new_job(3, "cancelled"), chunks_of(b"abc"))
    await jobs.cancel("cancelled")

    assert not await jobs.keep("late")
    assert await jobs.keep("cancelled")
    assert client.zcard(keys.QUEUED) == 0


async def test_sweep_forgets_expired_jobs(jobs: JobStore, client: redis.Redis) -> None:
    """The index and the line lose them; those that live stay."""
    for name in ("gone", "alive"):
        await admit(jobs, name)
    client.delete(*client.keys("asr:job:gone*"))

    assert await sweep(jobs.client) == 3

    assert client.zrange(keys.JOBS, 0, -1) == [b":alive"]
    assert client.zrange(keys.jobs_of(""), 0, -1) == [b"alive"]
    assert client.zrange(keys.QUEUED, 0, -1) == [b"alive"]


async def test_cancelled_while_its_upload_is_stored(jobs: JobStore, client: redis.Redis) -> None:
    """What comes of the upload afterwards is not stored."""

    async def upload() -> AsyncIterator[bytes]:
        yield b"abc"
        await jobs.cancel("j1")
        yield b"def"

    await jobs.admit(new_job(6), upload())
    await jobs.keep("j1")

    await check_only_the_record_is_left(jobs, client)


async def test_cancelled_in_line(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """The segmenter that gets its message leaves it alone."""
    await admit(jobs, "j1")

    await jobs.cancel("j1")

    assert work.begin("j1") is None
    await check_only_the_record_is_left(jobs, client)


async def test_cancelled_while_it_is_cut_and_recognised(
    jobs: JobStore, work: WorkStore, client: redis.Redis
) -> None:
    """Nothing more is stored, and what an instance is just hearing is dropped when it is done with it."""
    await admit(jobs, "j1")
    begun = work.begin("j1")
    assert begun is not None
    for index in range(3):
        work.add_segment("j1", Segment(index, index * 100, index * 100 + 100), SAMPLES)
    work.finish_segment("j1", 0, heard=HEARD)
    assert work.take_segment("j1", 1) is not None

    for _ in range(2):
        await jobs.cancel("j1")

    assert work.upload_chunk("j1", 0) is None
    assert work.add_segment("j1", Segment(3, 300, 400), SAMPLES) is None
    assert work.close_cut(begun, 400) is None
    assert work.take_segment("j1", 2) is None
    for index in (1, 2):
        assert work.finish_segment("j1", index, heard=HEARD) is None
    await check_only_the_record_is_left(jobs, client)
    assert client.hget(keys.STATS, "jobs:cancelled") == b"1"


async def test_cancelled_after_its_end(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """It stays done, without its transcript."""
    await admit(jobs, "j1")
    work.begin("j1")
    work.complete("j1", EMPTY)

    await jobs.cancel("j1")

    await check_only_the_record_is_left(jobs, client, JobState.DONE)
    assert await jobs.transcript("j1") is None


async def check_only_the_record_is_left(
    jobs: JobStore, client: redis.Redis, state: JobState = JobState.CANCELLED
) -> None:
    """Of the job, and of nothing else, there is nothing."""
    job = await jobs.get("j1")
    assert job is not None
    assert job.state is state
    assert left(client) == {b"asr:job:j1"}
    assert client.hgetall(keys.SPOOL) == {b"total": b"0"}


@pytest.mark.parametrize("how", ["fails", "is done"])
async def test_no_results_outlive_their_job(
    jobs: JobStore, work: WorkStore, client: redis.Redis, how: str
) -> None:
    """They are in the transcript, or of no use any more."""
    await admit(jobs, "j1")
    begun = work.begin("j1")
    assert begun is not None
    work.add_segment("j1", Segment(0, 0, 100), SAMPLES)
    work.finish_segment("j1", 0, heard=HEARD)
    assert client.exists(keys.results("j1") + "0"), "the scripts and Dramatiq must name them the same"

    if how == "fails":
        work.fail("j1", UnreadableAudio("damaged"))
    else:
        cut = work.close_cut(begun, 100)
        assert cut is not None
        assemble(work, cut)

    assert client.keys("asr:result:*") == []


async def test_segments_are_heard_in_order(jobs: JobStore, work: WorkStore, follower: JobFollower) -> None:
    """Up to the first that is not finished, a bounded number at once, and none twice."""
    await admit(jobs, "j1")
    work.begin("j1")
    count = LINES_AT_ONCE + 5
    for index in range(count):
        work.add_segment("j1", Segment(index, index * 100, index * 100 + 100), SAMPLES)
    for index in (1, 2):
        work.finish_segment("j1", index, heard=HEARD)
    assert await follower.heard("j1", 0) == []

    work.finish_segment("j1", 0, "broken")
    lines = await follower.heard("j1", 0)
    for index in range(3, count):
        work.finish_segment("j1", index, heard=HEARD)

    assert [(line.segment.index, line.error) for line in lines] == [(0, "broken"), (1, None), (2, None)]
    assert lines[1].utterance == HEARD
    assert len(await follower.heard("j1", 0)) == LINES_AT_ONCE
    assert [line.segment.index for line in await follower.heard("j1", 30)] == list(range(30, count))
    assert await follower.heard("j1", count) == []
