"""What may wait at once, counted in the real Redis, and that nothing does once all jobs have ended."""

import random
from collections.abc import AsyncIterator

import numpy as np
import pytest
import redis
from msgspec.structs import replace

from actors.clock import now_ms
from actors.records import Job, Segment
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.jobs import JobStore, sweep
from actors.store.limits import Limit, LimitReached, Limits, Quota
from actors.store.work import WorkStore
from tests.doubles.segments import outcomes
from tests.integration.test_store import EMPTY, chunks_of, new_job

LIMITS = Limits(spool_bytes=1 << 20, backlog_ms=100_000)
TWO_MINUTES_MS = 120_000


@pytest.fixture
async def jobs(config: Settings) -> AsyncIterator[JobStore]:
    """A store that lets 100 s of audio wait."""
    async with prompt(config) as connected:
        yield JobStore(connected, result_ttl_s=60, limits=LIMITS)


@pytest.fixture
def work(client: redis.Redis) -> WorkStore:
    """The store as the workers use it."""
    return WorkStore(client, result_ttl_s=60)


def job_of(job_id: str, expected_ms: int = 1000, caller: str = "") -> Job:
    """A job of three bytes."""
    return replace(new_job(3, job_id), expected_ms=expected_ms, caller=caller)


async def admit(jobs: JobStore, job: Job) -> Limit | None:
    """The limit in the way of a job; None once it is admitted."""
    try:
        await admit_or_raise(jobs, job)
    except LimitReached as error:
        return error.limit
    return None


async def admit_or_raise(jobs: JobStore, job: Job) -> None:
    """Admit a job that is as long as expected, or say why not."""
    await jobs.admit(job, chunks_of(b"abc"), job.expected_ms)


async def test_a_quota_of_ones_own(jobs: JobStore) -> None:
    """A key's limits hold in place of the settings', both ways, and early as well as when it is admitted."""
    few, many = Quota(jobs=1, uploads_per_minute=2), Quota(jobs=0, uploads_per_minute=0)
    limited = JobStore(jobs.client, result_ttl_s=60, limits=replace(LIMITS, jobs=1, uploads_per_minute=1))

    await jobs.admit(job_of("a1", caller="ann"), chunks_of(b"abc"), quota=few)
    with pytest.raises(LimitReached) as reached:
        await jobs.check_room("ann", None, 3, 0, few)
    assert reached.value.limit is Limit.JOBS
    with pytest.raises(LimitReached):
        await jobs.admit(job_of("a2", caller="ann"), chunks_of(b"abc"), quota=few)
    for number in range(5):
        await limited.check_room("bob", None, 3, 0, many)
        await limited.admit(job_of(f"b{number}", caller="bob"), chunks_of(b"abc"), quota=many)
    await limited.admit(job_of("c1", caller="cleo"), chunks_of(b"abc"))
    with pytest.raises(LimitReached):
        await limited.check_room("cleo", None, 3, 0)


def backlog_ms(client: redis.Redis) -> tuple[int, int]:
    """What waits in the short and in the long lane; each is the sum of its jobs."""
    totals = []
    for lane in (keys.BACKLOG_SHORT, keys.BACKLOG_LONG):
        waits = {name: int(ms) for name, ms in client.hgetall(lane).items()}
        total = waits.pop(b"total", 0)
        assert total == sum(waits.values())
        assert all(ms > 0 for ms in waits.values())
        totals.append(total)
    return totals[0], totals[1]


def cut(work: WorkStore, job_id: str, *ends_ms: int) -> None:
    """Cut a running job into segments that follow each other."""
    for index, end_ms in enumerate(ends_ms):
        span = Segment(index, ends_ms[index - 1] if index else 0, end_ms)
        work.add_segment(job_id, span, np.zeros(16, np.int16))


async def test_a_recording_waits_in_its_lane(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """As long as it is expected to be, then as it claims to be, then what of it is left."""
    await admit(jobs, job_of("j1", expected_ms=30_000))
    assert backlog_ms(client) == (30_000, 0)
    begun = work.begin("j1")
    assert begun is not None
    work.progress("j1", claimed_ms=TWO_MINUTES_MS)
    assert backlog_ms(client) == (0, TWO_MINUTES_MS)
    cut(work, "j1", 10_000, 30_000)
    assert backlog_ms(client) == (0, TWO_MINUTES_MS), "cut is not yet recognised"
    work.finish_segment("j1", 1)
    work.finish_segment("j1", 1)
    assert backlog_ms(client) == (0, 100_000)
    work.close_cut(begun, 50_000)
    assert backlog_ms(client) == (10_000, 0), "it was shorter than it claimed"
    work.finish_segment("j1", 0)
    assert backlog_ms(client) == (0, 0)
    work.complete("j1", EMPTY)
    assert backlog_ms(client) == (0, 0)


async def test_a_full_long_lane_is_open_to_short_recordings(jobs: JobStore) -> None:
    """They do not wait for it; long ones do."""
    assert await admit(jobs, job_of("long", TWO_MINUTES_MS)) is None, "however long the first one is"

    assert await admit(jobs, job_of("another", TWO_MINUTES_MS)) is Limit.BACKLOG
    assert await admit(jobs, job_of("short", 60_000)) is None
    assert await admit(jobs, job_of("short too", 60_000)) is None
    assert await admit(jobs, job_of("too much", 60_000)) is Limit.BACKLOG
    await jobs.cancel("short")
    assert await admit(jobs, job_of("now", 1000)) is None


async def test_what_is_certain_is_refused_early(jobs: JobStore) -> None:
    """Before its body is read: whatever is long, too large for the spool, or has a full lane before it."""
    await admit(jobs, job_of("long", TWO_MINUTES_MS))
    await jobs.check_room("", None, 0, 0)
    with pytest.raises(LimitReached, match="backlog"):
        await jobs.check_room("", None, 0, 60_001)
    with pytest.raises(LimitReached, match="spool"):
        await jobs.check_room("", None, 1 << 20, 0)
    await admit(jobs, job_of("a", 60_000))
    await admit(jobs, job_of("b", 60_000))
    with pytest.raises(LimitReached, match="backlog"):
        await jobs.check_room("", None, 0, 0)


async def test_the_wait_follows_from_the_speed(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """Before anything is measured it is taken to be real time."""
    await admit(jobs, job_of("long", 220_000))
    with pytest.raises(LimitReached) as unknown:
        await admit_or_raise(jobs, job_of("j2", TWO_MINUTES_MS))
    assert unknown.value.wait_ms == 120_000

    work.begin("long")
    cut(work, "long", 20_000)
    client.hset(keys.SPEED, mapping={"last_ms": now_ms() - 2_000, "busy_ms": 0, "audio_ms": 0})
    work.finish_segment("long", 0)
    with pytest.raises(LimitReached) as measured:
        await admit_or_raise(jobs, job_of("j2", TWO_MINUTES_MS))

    # 20 s took 2 s, and what this machine stood still; nothing measured would be 100 s.
    assert 100_000 / 10 <= measured.value.wait_ms < 50_000


async def test_what_could_not_be_answered_in_time(jobs: JobStore, client: redis.Redis) -> None:
    """It is refused to whoever would wait for it, by the time that the short ones before it will take."""
    limits = Limits(spool_bytes=99, backlog_ms=10**9, wait_ms=10_000)
    limited = JobStore(jobs.client, result_ttl_s=60, limits=limits)

    async def ask(name: str, length_ms: int = 30_000) -> None:
        await limited.admit(job_of(name, length_ms), chunks_of(b"abc"), length_ms, waited_for=True)

    for name in ("a", "b", "c"):
        await ask(name)  # nobody knows how fast it is
    client.hset(keys.SPEED, mapping={"busy_ms": 9_000, "audio_ms": 18_000})
    await ask("d")  # nor after so little
    client.hset(keys.SPEED, mapping={"busy_ms": 30_000, "audio_ms": 240_000})

    with pytest.raises(LimitReached, match="wait") as refused:
        await ask("e")
    assert refused.value.wait_ms == 120_000 / 8 - 10_000
    with pytest.raises(LimitReached, match="wait"):
        await limited.check_room("", None, 3, 0, waited_for=True)
    assert await admit(limited, job_of("f", 30_000)) is None, "nobody waits for a job"
    await ask("long", TWO_MINUTES_MS)  # it waits for none of them
    for name in ("a", "b", "c"):
        await limited.cancel(name)
    await ask("g")


async def test_the_speed_is_that_of_late(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """What was long ago counts less and less, and a pause without a backlog does not count."""
    client.hset(keys.SPEED, mapping={"last_ms": 0, "busy_ms": 20_000, "audio_ms": 20_000})
    await admit(jobs, job_of("j1", 10_000))
    work.begin("j1")
    cut(work, "j1", 10_000)
    work.finish_segment("j1", 0)

    speed = {name: int(value) for name, value in client.hgetall(keys.SPEED).items()}
    assert speed[b"busy_ms"] < 21_000, "since the job came, not since the year 1970"
    assert speed[b"audio_ms"] in {10_000, 20_000}, "the last of it does not count"


async def test_only_work_counts(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """Neither the end of a backlog, which tells how little there was, nor what stood still for long."""
    await admit(jobs, job_of("j1", 10_000))
    await admit(jobs, job_of("j2", 10_000))
    client.hset(keys.SPEED, mapping={"last_ms": now_ms() - 20_000, "busy_ms": 0, "audio_ms": 0})
    for name in ("j1", "j2"):
        work.begin(name)
        cut(work, name, 10_000)
        work.finish_segment(name, 0)

    speed = {name: int(value) for name, value in client.hgetall(keys.SPEED).items()}
    assert speed[b"audio_ms"] == 10_000
    assert 5_000 <= speed[b"busy_ms"] < 10_000


async def test_a_caller_has_so_many_uploads_a_minute(jobs: JobStore, client: redis.Redis) -> None:
    """All at once or evenly; another caller has as many, and the wait is until the next one is due."""
    limited = JobStore(
        jobs.client, result_ttl_s=60, limits=Limits(spool_bytes=99, backlog_ms=99_000, uploads_per_minute=2)
    )
    for n in range(2):
        assert await admit(limited, job_of(f"j{n}", caller="ann")) is None

    with pytest.raises(LimitReached, match="rate") as refused:
        await limited.check_room("ann", None, 3, 0)
    assert 10_000 < refused.value.wait_ms <= 30_000
    assert await admit(limited, job_of("j7", caller="ann")) is Limit.RATE
    assert await admit(limited, job_of("j8", caller="bob")) is None
    client.set(keys.rate("ann"), float(client.get(keys.rate("ann")) or 0) - refused.value.wait_ms)
    assert await admit(limited, job_of("j7", caller="ann")) is None


async def test_a_caller_has_so_many_jobs(jobs: JobStore, work: WorkStore, client: redis.Redis) -> None:
    """Those that have ended or are gone are not counted."""
    limited = JobStore(jobs.client, result_ttl_s=60, limits=Limits(spool_bytes=99, backlog_ms=99_000, jobs=2))
    for name in ("j1", "j2"):
        assert await admit(limited, job_of(name, caller="ann")) is None

    assert await admit(limited, job_of("j3", caller="ann")) is Limit.JOBS
    assert await admit(limited, job_of("j4", caller="bob")) is None
    await limited.cancel("j1")
    assert await admit(limited, job_of("j3", caller="ann")) is None
    client.delete(keys.JobKeys.of("j2").job)
    assert await admit(limited, job_of("j5", caller="ann")) is None
    work.begin("j3")
    work.complete("j3", EMPTY)
    await limited.abandon(job_of("j5", caller="ann"))
    assert client.scard(keys.active("ann")) == 0


async def test_a_key_is_asked_before_the_limits(jobs: JobStore) -> None:
    """A request that is sent again gets its job, though there is no room for another."""
    first = replace(job_of("j1", TWO_MINUTES_MS), key=":k")
    await jobs.admit(first, chunks_of(b"abc"))

    await jobs.check_room("", ":k", 1 << 30, TWO_MINUTES_MS)
    assert await jobs.admit(replace(first, id="j2"), chunks_of(b"abc"), TWO_MINUTES_MS) == "j1"
    assert await admit(jobs, job_of("j3", TWO_MINUTES_MS)) is Limit.BACKLOG


async def test_admitted_twice(jobs: JobStore, client: redis.Redis) -> None:
    """A job whose first answer was lost does not stand in its own way, and counts once."""
    limits = Limits(spool_bytes=99, backlog_ms=99_000, jobs=1, uploads_per_minute=1)
    limited = JobStore(jobs.client, result_ttl_s=60, limits=limits)
    job = job_of("j1", TWO_MINUTES_MS)

    assert await admit(limited, job) is None
    assert await admit(limited, job) is None
    assert backlog_ms(client) == (0, TWO_MINUTES_MS)
    assert client.hget(keys.SPOOL, "total") == b"3"


async def test_the_index_of_a_former_version(jobs: JobStore, client: redis.Redis) -> None:
    """What it has written is forgotten, and stops nothing."""
    client.zadd(keys.JOBS, {"bare-id": 1})
    await admit(jobs, job_of("gone", caller="ann"))
    client.delete(keys.JobKeys.of("gone").job)

    await sweep(jobs.client)

    assert client.zcard(keys.JOBS) == 0
    assert client.scard(keys.active("ann")) == 0


async def test_the_wait_for_a_job_of_ones_own(jobs: JobStore) -> None:
    """What others have waiting is none of the caller's business."""
    limits = Limits(spool_bytes=99, backlog_ms=10**9, jobs=2)
    limited = JobStore(jobs.client, result_ttl_s=60, limits=limits)
    await admit(limited, job_of("of another", 3_600_000, "bob"))
    for name, length_ms in (("a", 20_000), ("b", 5_000)):
        await admit(limited, job_of(name, length_ms, "ann"))

    with pytest.raises(LimitReached) as refused:
        await admit_or_raise(limited, job_of("c", caller="ann"))
    assert refused.value.wait_ms == 5_000


@pytest.mark.parametrize("seed", range(20))
async def test_nothing_waits_once_all_have_ended(
    seed: int, jobs: JobStore, work: WorkStore, client: redis.Redis
) -> None:
    """Whatever happens to jobs, in any order and twice."""
    chosen = random.Random(seed)
    names = [f"j{n}" for n in range(6)]
    for name in names:
        await admit(jobs, job_of(name, chosen.choice([0, 500, 90_000])))
    for _ in range(60):
        step(chosen, work, chosen.choice(names))
        if chosen.random() < 0.02:
            client.delete(keys.JobKeys.of(chosen.choice(names)).job)
            await sweep(jobs.client)
        backlog_ms(client)
    for name in names:
        await jobs.cancel(name)
    await sweep(jobs.client)

    assert backlog_ms(client) == (0, 0)


def step(chosen: random.Random, work: WorkStore, name: str) -> None:
    """Do something with a job that may happen to it, in time or not."""
    match chosen.randrange(6):
        case 0:
            work.begin(name)
        case 1:
            work.progress(name, chosen.choice([0, 1000, 70_000]))
        case 2:
            cut(work, name, *sorted(chosen.sample(range(1, 80_000), chosen.randint(1, 4))))
        case 3 | 4 if cut_so_far := outcomes(work.client, name):
            work.finish_segment(name, chosen.randrange(len(cut_so_far)))
        case 5 if begun := work.begin(name):
            work.close_cut(begun, begun.job.audio_ms + chosen.randrange(5000))
