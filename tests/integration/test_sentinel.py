"""Clients of a Redis with Sentinels follow its master, whatever they are doing when that is lost."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from structlog.testing import capture_logs

from actors.errors import StartupError
from actors.records import Job
from actors.settings import Settings
from actors.store import keys, sentinel
from actors.store.connection import broker_url, connect, patient, prompt
from actors.store.jobs import JobStore
from actors.store.sentinel_url import parse
from actors.store.work import WorkStore
from api.events import JobListener
from deploy import given_redis
from tests.integration.test_store import LIMITS, chunks_of, new_job
from tests.replicated import MASTER, Replicated, replicated

#: Longer than a failover takes.
PATIENCE_S = 60

pytestmark = pytest.mark.usefixtures("promptly")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    """Two servers and three Sentinels."""
    with replicated(tmp_path_factory.mktemp("redis")) as started:
        yield started


@contextlib.contextmanager
def another_master(servers: Replicated) -> Iterator[None]:
    """The master is stopped; what is done inside is done without it. Afterwards it is a replica."""
    servers.await_replica()
    servers.await_sentinels()
    lost = servers.master()
    os.kill(lost.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        lost.come_back()
        servers.await_replica()


async def test_everyone_follows_the_master(servers: Replicated) -> None:
    """It is stopped, as if its machine had gone: no connection is closed, and nobody waits for it for ever.

    A worker's command is done in the end, and so are scripts that only the old one knew; the API hears again.
    """
    config = Settings(redis_url=servers.url)
    async with prompt(config) as api:
        with patient(config) as worker, connect(broker_url(config)) as queues, capture_logs() as logged:
            store = JobStore(api, result_ttl_s=60, limits=LIMITS, copied=True)
            work = WorkStore(worker, 60)
            listener = JobListener(api, store)
            listening = asyncio.create_task(listener.listen())
            await store.admit(new_job(1, "before"), chunks_of(b"a"))
            assert await store.keep("before")
            assert work.begin("before") is not None
            queues.rpush("dramatiq:x", "1")
            ringing = threading.Thread(target=ring_in_the_end, args=(config,))
            with another_master(servers):
                ringing.start()
                with pytest.raises(redis.RedisError):
                    await api.get("asr:a")
                assert await asyncio.to_thread(work.job, "before") is not None
                await admitted(store, new_job(1, "after"))
                async with listener.watch_end("after") as moved:
                    assert await asyncio.to_thread(work.begin, "after") is not None
                    await store.cancel("after")
                    await asyncio.wait_for(moved.wait(), PATIENCE_S)
                await asyncio.to_thread(ringing.join)
            listening.cancel()

    assert [one["event"] for one in logged if one.get("listener")] == ["listener.lost", "listener.back"]


def ring_in_the_end(config: Settings) -> None:
    """Wait at a bell through the failover, as a consumer does, and ring another."""
    deadline_s = time.monotonic() + PATIENCE_S
    with connect(broker_url(config)) as queues:
        while time.monotonic() < deadline_s:
            with contextlib.suppress(redis.RedisError):
                queues.rpush("dramatiq:bell", "")
                if queues.blpop(["dramatiq:bell"], 1):
                    return
    raise TimeoutError("nobody rang")


async def admitted(store: JobStore, job: Job) -> None:
    """Admit a job once there is a master."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(redis.RedisError):
            await store.admit(job, chunks_of(b"a"))
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("no master")


async def test_what_is_taken_in_has_been_copied(servers: Replicated) -> None:
    """A replica that is behind is waited for; one that is gone is not waited for long."""
    servers.await_replica()
    (replica,) = (one for one in servers.servers if one is not servers.master())
    async with prompt(Settings(redis_url=servers.url)) as api:
        store = JobStore(api, result_ttl_s=60, limits=LIMITS, copied=True)
        await store.admit(new_job(1, "copied"), chunks_of(b"a"))
        assert await store.keep("copied")
        with replica.client() as follower:
            assert follower.exists(keys.JobKeys.of("copied").job)
        os.kill(replica.process.pid, signal.SIGSTOP)
        try:
            await store.admit(new_job(1, "alone"), chunks_of(b"a"))
            assert await store.keep("alone")
        finally:
            replica.come_back()


def test_what_is_wrong_is_said(servers: Replicated) -> None:
    """The name of the master, the logins, Sentinels that do not answer."""
    url = servers.url

    def refused(wrong: str) -> str:
        with pytest.raises(StartupError) as error:
            given_redis.check(Settings(redis_url=wrong))
        return str(error.value)

    given_redis.check(Settings(redis_url=url))
    assert f"watch no master 'other' (but {MASTER})" in refused(url.replace(f"/{MASTER}", "/other"))
    assert "refuses the login" in refused(url.replace("quintet:", "nobody:"))
    assert "No Sentinel of ASR_REDIS_URL answers" in refused(url.replace("=for%20Sentinels", "=wrong"))
    assert "an option that there is not" in refused(f"{url}&colour=red")
    silent = f"redis+sentinel://127.0.0.1:1,127.0.0.1:2/{MASTER}"
    assert "No Sentinel of ASR_REDIS_URL answers (127.0.0.1:1:" in refused(silent)


def test_threads_that_ask_at_the_same_time(servers: Replicated) -> None:
    """None of the Sentinels is forgotten over it."""
    asked = sentinel.sentinels(parse(servers.url))
    with asked:
        threads = [
            threading.Thread(target=asked.discover_master, args=(MASTER,), daemon=True) for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(asked.sentinels)) == 4
