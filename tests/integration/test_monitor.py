"""The monitor on the real Redis: what it keeps, what it tells once, and what an outage does to it."""

import http.server
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import psutil
import pytest
import redis
import redis.asyncio
from structlog.testing import capture_logs
from typing_extensions import override

from actors.clock import now_ms
from actors.records import WorkerReport, WorkerState
from actors.settings import Settings
from actors.store.connection import prompt, prompt_queues
from actors.store.watching import KEPT_MS, MOST_SNAPSHOTS, add_snapshot, snapshots
from actors.store.workers import WorkerRegistry
from monitoring.alarm import Alarm
from monitoring.alerts import Book, Phase
from monitoring.monitor import Monitor
from monitoring.rules import Rule
from monitoring.snapshot import Snapshot
from monitoring.snapshot_files import SnapshotFiles, read

#: The file in which a monitor keeps its book too.
COPY = "alerts.json"

RULES = (Rule(name="down", quantity="unhealthy_instances", above=0, summary="one is down"),)


class Hook(http.server.ThreadingHTTPServer):
    """A webhook that keeps what it is sent, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.sent: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = cast("Hook", self.server)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if hook.status == 200:
            hook.sent.append(body)
        self.send_response(hook.status)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook that answers."""
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def watched(config: Settings, hook: Hook) -> Settings:
    """One instance is expected, and the webhook is told of alerts."""
    return msgspec.structs.replace(config, instances=1, alert_webhook=hook.url)


@pytest.fixture
async def asynchronous(watched: Settings) -> AsyncIterator[redis.asyncio.Redis]:
    """A connection as the monitor has it."""
    async with prompt(watched) as connected:
        yield connected


@pytest.fixture
async def start(
    watched: Settings, asynchronous: redis.asyncio.Redis, tmp_path: Path
) -> AsyncIterator[Callable[[], Monitor]]:
    """Starts a monitor, which looks when it is told to."""
    async with prompt_queues(watched) as queues_client:
        yield lambda: Monitor(
            watched,
            asynchronous,
            queues_client,
            Alarm(watched, asynchronous, RULES, tmp_path / COPY),
            SnapshotFiles(tmp_path),
        )


@pytest.fixture
def monitor(start: Callable[[], Monitor]) -> Monitor:
    """A monitor that has just been started."""
    return start()


def say(client: redis.Redis, state: WorkerState) -> None:
    """What instance 1 says of itself."""
    report = WorkerReport(
        name=f"instance-1@{socket.gethostname()}",
        state=state,
        host="here",
        pid=1,
        device="cpu",
        rss_mb=1,
        started_ms=0,
        beat_ms=now_ms(),
    )
    WorkerRegistry(client).report(report)


async def test_fires_once_across_a_restart(
    start: Callable[[], Monitor], client: redis.Redis, hook: Hook, tmp_path: Path
) -> None:
    """Another monitor knows what the first has told, and goes on with it."""
    say(client, WorkerState.ERROR)
    first = start()
    await first.look()
    await first.look()
    successor = start()
    await successor.look()
    say(client, WorkerState.READY)
    await successor.look()
    await successor.look()

    assert [(told["name"], told["state"]) for told in hook.sent] == [("down", "firing"), ("down", "resolved")]
    assert "down (warning) is firing: one is down" in hook.sent[0]["text"]
    assert [seen.alerts for seen in read(0, tmp_path)] == [("down",)] * 3 + [()] * 2


async def test_a_start_without_redis(
    start: Callable[[], Monitor], client: redis.Redis, hook: Hook, redis_process: psutil.Process
) -> None:
    """What fired before does not fire again, and resolves once Redis is back and all is well."""
    say(client, WorkerState.ERROR)
    await start().look()
    redis_process.suspend()
    try:
        successor = start()
        await successor.look()
        await start().look()
    finally:
        redis_process.resume()
    say(client, WorkerState.READY)
    await successor.look()
    await start().look()

    assert [told["state"] for told in hook.sent] == ["firing", "resolved"]


@pytest.mark.parametrize("lost", ["copy", "redis", "copied", "time"])
async def test_one_book_is_enough(
    start: Callable[[], Monitor], client: redis.Redis, hook: Hook, tmp_path: Path, lost: str
) -> None:
    """Whichever of the two is gone, or is from before; what is newer counts."""
    old = json.dumps({"standings": {}, "unsent": [], "judged_ms": 1})
    say(client, WorkerState.ERROR)
    await start().look()
    match lost:
        case "copy":
            (tmp_path / COPY).unlink()
        case "copied":
            (tmp_path / COPY).write_text(old)
        case "time":  # a version that wrote no copy, and no time either
            (tmp_path / COPY).unlink()
            kept = json.loads(cast("bytes", client.get("asr:alerts")))
            del kept["judged_ms"]
            client.set("asr:alerts", json.dumps(kept))
        case _:
            client.set("asr:alerts", old)
    await start().look()
    say(client, WorkerState.READY)
    await start().look()

    assert [told["state"] for told in hook.sent] == ["firing", "resolved"]


async def test_a_start_that_knows_nothing(
    start: Callable[[], Monitor],
    client: redis.Redis,
    hook: Hook,
    redis_process: psutil.Process,
    tmp_path: Path,
) -> None:
    """Without Redis and copy it tells what fires, rather than nothing; each alert resolves once."""
    say(client, WorkerState.ERROR)
    await start().look()
    (tmp_path / COPY).write_bytes(b'{"standings":{"\xff":1}}')
    redis_process.suspend()
    try:
        successor = start()
        await successor.look()
    finally:
        redis_process.resume()
    say(client, WorkerState.READY)
    await successor.look()
    await successor.look()

    assert [told["state"] for told in hook.sent] == ["firing", "firing", "resolved"]


async def test_a_webhook_that_fails(monitor: Monitor, client: redis.Redis, hook: Hook) -> None:
    """It is told later, in order, and each once."""
    hook.status = 500
    say(client, WorkerState.ERROR)
    await monitor.look()
    say(client, WorkerState.READY)
    await monitor.look()
    assert hook.sent == []
    hook.status = 200
    await monitor.look()
    await monitor.look()

    assert [told["state"] for told in hook.sent] == ["firing", "resolved"]


async def test_an_outage_of_redis(
    monitor: Monitor,
    client: redis.Redis,
    hook: Hook,
    redis_process: psutil.Process,
    tmp_path: Path,
) -> None:
    """It is told and written down while it lasts, and over afterwards."""
    say(client, WorkerState.READY)
    await monitor.look()
    redis_process.suspend()
    try:
        with capture_logs() as logged:
            await monitor.look()
    finally:
        redis_process.resume()
    say(client, WorkerState.READY)
    await monitor.look()

    (said,) = (one for one in logged if one["event"] == "health.seen")
    assert re.fullmatch(r"Redis does not answer \(.+\), cpu \d+%, ALERTS down", said["summary"])
    assert said["ill"] == {}, "nobody knows"
    assert [seen.healthy_instances for seen in read(0, tmp_path)] == [1, 0, 1]
    assert [told["state"] for told in hook.sent] == ["firing", "resolved"]
    book = msgspec.json.decode(cast("bytes", client.get("asr:alerts")), type=Book)
    assert book.standings["down"].phase is Phase.RESOLVED


async def test_the_last_hour(
    monitor: Monitor, asynchronous: redis.asyncio.Redis, client: redis.Redis
) -> None:
    """The snapshot is the same in Redis and in the file; what is older than an hour is forgotten."""
    await add_snapshot(asynchronous, now_ms() - KEPT_MS - 1000, b"old")
    await monitor.look()

    (kept,) = await snapshots(asynchronous, 0)

    assert msgspec.json.decode(kept, type=Snapshot).total_instances == 1
    for number in range(MOST_SNAPSHOTS):
        client.zadd("asr:snapshots", {f"{number}": now_ms()})
    await monitor.look()
    assert client.zcard("asr:snapshots") == MOST_SNAPSHOTS
