"""Why an instance failed, or that it was killed, is known until its successor is ready."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pytest
import redis

from actors.devices import Device
from actors.heartbeat import Heartbeat
from actors.names import WorkerKind, WorkerName
from actors.queue.delivery_limit import MAX_DELIVERIES, POISONOUS
from actors.queue.messages import RECOGNIZE, queue, recognize_segment
from actors.queue.slots import Slots
from actors.records import Lane, Segment, WorkerReport, WorkerState
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import broker_url, prompt
from actors.store.jobs import JobStore
from actors.store.work import WorkStore
from actors.store.workers import LOST_AFTER_MS, WorkerRegistry
from actors.worker import create_broker
from tests.doubles.engines import BrokenEngine, MoodyEngine
from tests.doubles.segments import outcomes
from tests.integration.test_express import report as worker_report
from tests.integration.test_store import LIMITS, chunks_of, new_job

ROOT = Path(__file__).resolve().parents[2]

#: What the instance of these tests is called: its Redis could be that of other hosts too.
NAME = WorkerName(WorkerKind.INSTANCE, socket.gethostname(), 1)

CPU = Device("cpu", None, threads=1)

#: Longer than a process takes to start and to end on a busy machine.
PATIENCE_S = 60


@contextmanager
def instance(config: Settings, engine: str, **others: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process of instance 1 with an engine of the tests."""
    settings = others | {
        "ASR_REDIS_URL": config.redis_url,
        "ASR_MODEL": f"tests.doubles.engines:{engine}",
        "ASR_DEVICES": "cpu",
    }
    command = [sys.executable, "-m", "actors.instance", "1"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def report(client: redis.Redis) -> WorkerReport | None:
    """What instance 1 says of itself, or said last."""
    said = cast("bytes | None", client.hget(keys.WORKERS, str(NAME)))
    return msgspec.json.decode(said, type=WorkerReport) if said else None


def await_report(client: redis.Redis, pid: int, state: WorkerState) -> WorkerReport:
    """The report of this process, once it is in this state."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        said = report(client)
        if said and (said.pid, said.state) == (pid, state):
            return said
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def await_work(client: redis.Redis) -> None:
    """Wait until an engine is at work."""
    while not client.smembers(keys.BUSY):
        time.sleep(0.01)


def await_end(work: WorkStore) -> None:
    """Wait until the only segment is finished, or given up."""
    while not (job := work.job("j1")) or not job.finished:
        time.sleep(0.01)


@pytest.fixture
def failed(config: Settings, client: redis.Redis) -> WorkerReport:
    """What is left of an instance that could not load its model."""
    with instance(config, "BrokenEngine") as process:
        assert process.wait(PATIENCE_S) == 1
    return await_report(client, process.pid, WorkerState.ERROR)


def test_a_failed_load_leaves_its_reason(failed: WorkerReport) -> None:
    """The process ends, so that supervisord starts another, and the registry says why."""
    assert failed.reason == BrokenEngine.REASON
    assert failed.rss_mb > 0
    assert failed.gpu_mb is None


@pytest.mark.usefixtures("failed")
def test_a_successor_repeats_the_reason_until_it_is_ready(config: Settings, client: redis.Redis) -> None:
    """Also if one between them was killed while it loaded; one that is told to stop leaves nothing."""
    for _ in range(2):
        with instance(config, "EndlessEngine") as loading:
            assert await_report(client, loading.pid, WorkerState.LOADING).reason == BrokenEngine.REASON

    with instance(config, "InstantEngine") as ready:
        assert await_report(client, ready.pid, WorkerState.READY).reason is None
        ready.terminate()
        assert ready.wait(PATIENCE_S) == 0
    assert report(client) is None


def test_a_successor_tells_of_a_death(config: Settings, client: redis.Redis) -> None:
    """Of the first one where several were killed; one that is told to stop is no death."""
    with instance(config, "InstantEngine") as killed:
        assert await_report(client, killed.pid, WorkerState.READY).reason is None
    for _ in range(2):
        with instance(config, "EndlessEngine") as loading:
            said = await_report(client, loading.pid, WorkerState.LOADING)
            assert said.reason == f"process {killed.pid} ended unexpectedly"

    with instance(config, "InstantEngine") as ready:
        assert await_report(client, ready.pid, WorkerState.READY).reason is None
        ready.terminate()
        assert ready.wait(PATIENCE_S) == 0
    with instance(config, "EndlessEngine") as loading:
        assert await_report(client, loading.pid, WorkerState.LOADING).reason is None
    assert client.hget(keys.STATS, f"{NAME}:deaths") == b"3"


@pytest.mark.parametrize(
    ("host", "ago_ms", "last_reason", "reason"),
    [
        (socket.gethostname(), 30 * 86_400_000, None, "process 812 ended unexpectedly"),
        ("elsewhere", LOST_AFTER_MS + 1, None, "process 812 on elsewhere ended unexpectedly"),
        ("elsewhere", LOST_AFTER_MS + 1, "no memory", "no memory"),
        ("elsewhere", 0, None, None),
        ("elsewhere", 0, "no memory", None),
    ],
)
def test_a_death_elsewhere(
    client: redis.Redis, host: str, ago_ms: int, last_reason: str | None, reason: str | None
) -> None:
    """A worker of another host may live while it reports; one of this host has a successor here."""
    registry = WorkerRegistry(client)
    last = worker_report(str(NAME), ago_ms=ago_ms)
    registry.report(msgspec.structs.replace(last, host=host, pid=812, reason=last_reason))
    heartbeat = Heartbeat(registry, NAME, CPU, socket.gethostname())

    heartbeat.arrive()

    said = report(client)
    heartbeat.stop()
    assert said is not None
    assert (said.state, said.pid, said.reason) == (WorkerState.LOADING, os.getpid(), reason)
    assert client.hget(keys.STATS, f"{NAME}:deaths") == (b"1" if reason else None)


@pytest.fixture
async def work(config: Settings, client: redis.Redis) -> WorkStore:
    """A store with a job whose segments are still being cut."""
    async with prompt(config) as connected:
        jobs = JobStore(connected, result_ttl_s=60, limits=LIMITS)
        await jobs.admit(new_job(3), chunks_of(b"abc"))
    store = WorkStore(client, result_ttl_s=60)
    store.begin("j1")
    return store


def enqueue(config: Settings, work: WorkStore, samples: list[int]) -> None:
    """Segments of 0.1 s, each of one value."""
    broker = create_broker(config, Slots(1))
    for index, value in enumerate(samples):
        segment = Segment(index, index * 100, index * 100 + 100)
        work.add_segment("j1", segment, np.full(1600, value, dtype=np.int16))
        broker.enqueue(recognize_segment("j1", index))


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ([MoodyEngine.FAILS] * 5, "5 tries failed in a row, the last: this segment always fails"),
        ([MoodyEngine.LOSES], "the device is lost: unspecified launch failure"),
    ],
)
async def test_an_instance_that_is_replaced_leaves_its_reason(
    config: Settings, client: redis.Redis, work: WorkStore, samples: list[int], reason: str
) -> None:
    """It stops as it was told to, by itself; its successor says why."""
    enqueue(config, work, samples)

    with instance(config, "MoodyEngine") as sick:
        assert sick.wait(PATIENCE_S) == 0
    with instance(config, "EndlessEngine") as loading:
        said = await_report(client, loading.pid, WorkerState.LOADING)

    assert said.reason == reason


async def test_a_segment_that_loses_devices_is_given_up(
    config: Settings, client: redis.Redis, work: WorkStore
) -> None:
    """It goes from instance to instance by itself, as one that kills does, and no further than that one."""
    enqueue(config, work, [MoodyEngine.LOSES])

    for _ in range(MAX_DELIVERIES):
        with instance(config, "MoodyEngine") as sick:
            assert sick.wait(PATIENCE_S) == 0
    with instance(config, "MoodyEngine") as well:
        await_report(client, well.pid, WorkerState.READY)
        await_end(work)
        well.terminate()
        assert well.wait(PATIENCE_S) == 0

    assert outcomes(client, "j1")[0] == POISONOUS


async def test_a_stop_ends_the_batch_in_hand_and_returns_the_rest(
    config: Settings, client: redis.Redis, work: WorkStore
) -> None:
    """What had come together for the next batch goes back at once, and no death is counted."""
    enqueue(config, work, [0] * 8)

    with instance(config, "SlowEngine", ASR_BATCH_ROWS="2", ASR_INSTANCES="1") as slow:
        await_report(client, slow.pid, WorkerState.READY)
        await_work(client)
        slow.terminate()
        assert slow.wait(PATIENCE_S) == 0

    job = work.job("j1")
    assert job is not None
    assert 1 <= job.finished <= 4
    with redis.Redis.from_url(broker_url(config)) as queues:
        waiting = int(cast("int", queues.llen(f"dramatiq:{queue(RECOGNIZE, Lane.SHORT)}")))
    assert waiting == 8 - job.finished
    assert list(client.scan_iter("asr:deliveries:*")) == []
    assert report(client) is None
