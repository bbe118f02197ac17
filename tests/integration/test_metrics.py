"""What processes count reaches Redis once, whatever happens on the way."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest
import redis

from actors.clock import now_ms
from actors.flusher import Flusher
from actors.meters import Meters
from actors.settings import Settings
from actors.store.backlog import Backlog, read_backlog
from actors.store.connection import prompt, prompt_queues, unrepeated
from actors.store.jobs import JobStore
from actors.store.metrics import read_metrics
from tests.integration.test_store import LIMITS, chunks_of, new_job

ROOT = Path(__file__).resolve().parents[2]

COUNTING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from actors.flusher import Flusher
from actors.metrics import STAGE_S, Stage
from actors.settings import Settings

def count(_):
    for _ in range(1000):
        STAGE_S.observe(0.001, Stage.WAIT)

with Flusher.of(Settings(redis_url=sys.argv[1])), ThreadPoolExecutor(4) as threads:
    list(threads.map(count, range(4)))
"""


def run_two(config: Settings) -> list[int]:
    """Two processes that count, side by side; their exit statuses."""
    command = [sys.executable, "-c", COUNTING, config.redis_url]
    return [process.wait(60) for process in [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]]


async def kept(config: Settings) -> dict[str, int]:
    """What Redis has."""
    async with prompt(config) as client:
        return await read_metrics(client)


async def test_two_processes_sum(config: Settings) -> None:
    """Each of four threads in two processes counts a thousand times, and none is missing at their end."""
    assert run_two(config) == [0, 0]

    assert await kept(config) == {
        "asr_stage_duration_seconds|wait|0": 8000,
        "asr_stage_duration_seconds|wait|sum": 8_000_000,
    }


@pytest.fixture
def meters() -> Meters:
    """Meters of the test's own."""
    return Meters()


@pytest.fixture
def flusher(config: Settings, meters: Meters) -> Flusher:
    """A flusher that is told when to flush."""
    return Flusher(unrepeated(config), meters)


async def test_an_outage(
    config: Settings, flusher: Flusher, meters: Meters, redis_process: psutil.Process
) -> None:
    """Redis answers too late, but has it: it is not added again, and what came meanwhile is not lost."""
    meters.add(("a||", 1))
    flusher.flush()
    meters.add(("a||", 10))
    redis_process.suspend()
    try:
        flusher.flush()
        meters.add(("a||", 100))
        flusher.flush()
    finally:
        redis_process.resume()
    flusher.flush()

    assert await kept(config) == {"a||": 111}


async def test_a_flush_that_never_arrived(
    config: Settings, flusher: Flusher, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent again; and one whose answer only was lost is not."""
    add = flusher._store.add

    def lost_before(*_: object) -> None:
        raise redis.ConnectionError("gone")

    def lost_after(number: int, amounts: Mapping[str, int]) -> None:
        add(number, amounts)
        raise redis.ConnectionError("gone")

    for fails, amount in ((lost_before, 1), (lost_after, 10)):
        meters.add(("a||", amount))
        monkeypatch.setattr(flusher._store, "add", fails)
        flusher.flush()
        monkeypatch.undo()
        flusher.flush()

    assert await kept(config) == {"a||": 11}


async def test_nothing_to_say(config: Settings, flusher: Flusher, client: redis.Redis) -> None:
    """An idle process does not bother Redis."""
    flusher.flush()

    assert client.keys("asr:flushed:*") == []
    assert await kept(config) == {}


async def test_the_backlog(config: Settings, client: redis.Redis) -> None:
    """What waits, counted where the scripts count it; nothing waits in an empty Redis."""
    async with prompt(config) as jobs, prompt_queues(config) as queues:
        assert await read_backlog(jobs, queues) == Backlog()
        store = JobStore(jobs, result_ttl_s=60, limits=LIMITS)
        await store.admit(new_job(3), chunks_of(b"abc"))
        await store.keep("j1")
        client.zadd("asr:running", {"j2": 1})

        seen = await read_backlog(jobs, queues)

    assert (seen.waiting_jobs, seen.running_jobs, seen.spool_bytes) == (1, 1, 3)
    assert seen.oldest_ms is not None
    assert now_ms() - seen.oldest_ms < 60_000
