"""A real Redis with a replica and three Sentinels, in which a master can be killed or stopped."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import redis
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.embedded_redis import server_binary
from tests.checkouts import free_port

MASTER: Final = "speech"

#: What protects the servers and the Sentinels, and what a user of the service may do (docs/redis.md).
PASSWORD: Final = "between servers"
SENTINEL_PASSWORD: Final = "for Sentinels"
USER: Final = "quintet"
USER_PASSWORD: Final = "p@ss,word/?"
RIGHTS: Final = (
    "~asr:* ~dramatiq* &asr:* "
    "+@read +@write +@scripting +@pubsub +@connection +@transaction +time +info +keys"
)

#: A master that does not answer for so long is given up by each Sentinel.
DOWN_AFTER_MS: Final = 1_000

#: Longer than anything takes that the servers do by themselves: Sentinels that were held up for two seconds
#: do nothing for half a minute.
_PATIENCE_S: Final = 90.0
_POLL_S: Final = 0.05

_SERVER_CONF: Final = """\
port {port}
bind 127.0.0.1
dir "{folder}"
requirepass "{password}"
masterauth "{password}"
user {user} on >{user_password} {rights}
appendonly yes
save ""
repl-diskless-sync-delay 0
"""

_SENTINEL_CONF: Final = """\
port {port}
bind 127.0.0.1
dir "{folder}"
requirepass "{sentinel_password}"
sentinel sentinel-pass "{sentinel_password}"
sentinel monitor {name} 127.0.0.1 {master} 2
sentinel auth-pass {name} "{password}"
sentinel down-after-milliseconds {name} {down_after_ms}
sentinel failover-timeout {name} 5000
"""


class Member(Struct):
    """A server or a Sentinel: how it is started, and its process."""

    port: int
    command: list[str]
    folder: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, folder: Path, port: int, configuration: str, *options: str) -> "Member":
        """Start one, in a folder of its own."""
        folder.mkdir(parents=True)
        file = folder / "server.conf"
        file.write_text(configuration)
        command = [str(server_binary()), str(file), *options]
        return cls(port, command, folder, _spawn(command, folder))

    def come_back(self) -> None:
        """Go on if it was stopped; if it was killed, start anew with what it has kept."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
        else:
            self.process = _spawn(self.command, self.folder)

    def client(self) -> redis.Redis:
        """A connection as an operator makes it, who does not wait for one that is stopped."""
        return redis.Redis(
            port=self.port,
            password=PASSWORD,
            decode_responses=True,
            socket_timeout=1,
            retry=Retry(NoBackoff(), 0),
        )

    def role(self) -> str:
        """Whether it says that it is `master` or `slave`; empty while it does not answer."""
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return str(client.info("replication")["role"])
        return ""


class Replicated(Struct):
    """Two servers, one of which is the master at a time."""

    servers: list[Member]
    sentinels: list[Member]

    @property
    def url(self) -> str:
        """What `ASR_REDIS_URL` has to be; the first Sentinel named is none."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in (free_port(), *(one.port for one in self.sentinels)))
        return (
            f"redis+sentinel://{USER}:p%40ss%2Cword%2F%3F@{hosts}/{MASTER}"
            f"?sentinel_password={SENTINEL_PASSWORD.replace(' ', '%20')}"
        )

    def master(self) -> Member:
        """The server that the Sentinels name, once that is one."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline_s:
            port = self._named()
            for one in self.servers:
                if one.port == port and one.role() == "master":
                    return one
            time.sleep(_POLL_S)
        raise TimeoutError("no master was named in time")

    def await_replica(self) -> None:
        """Return once the other server has all that the master has."""
        deadline_s = time.monotonic() + _PATIENCE_S
        (other,) = (one for one in self.servers if one is not self.master())
        while time.monotonic() < deadline_s:
            with contextlib.suppress(redis.RedisError), other.client() as client:
                if client.info("replication").get("master_link_status") == "up":
                    return
            time.sleep(_POLL_S)
        raise TimeoutError("no replica follows the master")

    def await_sentinels(self) -> None:
        """Return once all Sentinels know of each other and of the replica, as a failover needs."""
        deadline_s = time.monotonic() + _PATIENCE_S
        for one in self.sentinels:
            with redis.Redis(port=one.port, password=SENTINEL_PASSWORD, decode_responses=True) as client:
                while time.monotonic() < deadline_s:
                    known = cast("dict[str, int]", client.sentinel_master(MASTER))
                    if known["num-other-sentinels"] == 2 and known["num-slaves"] == 1:
                        break
                    time.sleep(_POLL_S)
                else:
                    raise TimeoutError("the Sentinels do not know each other")

    def _named(self) -> int:
        with (
            contextlib.suppress(redis.RedisError),
            redis.Redis(port=self.sentinels[0].port, password=SENTINEL_PASSWORD) as client,
        ):
            return cast("tuple[str, int]", client.sentinel_get_master_addr_by_name(MASTER))[1]
        return 0


@contextlib.contextmanager
def replicated(folder: Path) -> Iterator[Replicated]:
    """Master, replica and three Sentinels; all are ended afterwards, whatever was done to them."""
    members = list[Member]()
    first = free_port()
    following = f"replicaof 127.0.0.1 {first}"
    try:
        members.append(_server(folder / "first", first))
        members.append(_server(folder / "second", free_port(), following))
        members.extend(_sentinel(folder / f"sentinel-{number}", first) for number in range(3))
        all_of_it = Replicated(members[:2], members[2:])
        all_of_it.await_replica()
        all_of_it.await_sentinels()
        yield all_of_it
    finally:
        for one in members:
            one.process.kill()
            one.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _server(folder: Path, port: int, *more: str) -> Member:
    conf = _SERVER_CONF.format(
        port=port,
        folder=folder,
        password=PASSWORD,
        user=USER,
        user_password=USER_PASSWORD,
        rights=RIGHTS,
    )
    return Member.start(folder, port, "\n".join((conf, *more, "")))


def _sentinel(folder: Path, master: int) -> Member:
    port = free_port()
    conf = _SENTINEL_CONF.format(
        port=port,
        folder=folder,
        name=MASTER,
        master=master,
        password=PASSWORD,
        sentinel_password=SENTINEL_PASSWORD,
        down_after_ms=DOWN_AFTER_MS,
    )
    return Member.start(folder, port, conf, "--sentinel")


def _spawn(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
