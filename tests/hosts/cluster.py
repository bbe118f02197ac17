"""A host with the API, hosts with workers, and the Redis that they share; each in a checkout of its own."""

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psutil
import redis
from msgspec import Struct

from actors.settings import Settings
from actors.store.connection import broker_url
from deploy import embedded_redis, leftovers
from deploy.paths import socket_path
from deploy.supervisor import Control
from tests.checkouts import Service, checkout, free_port
from tests.hosts.network import Link, Network

WRONG_CLOCK: Final = Path(__file__).parent / "wrong_clock"

#: As `docs/hosts.md` says, but for the file that it keeps.
REDIS: Final = """\
port {port}
bind {address}
requirepass {password}
tcp-keepalive 10
save ""
dir {folder}
"""

_PASSWORD: Final = "a-test-only"
_PATIENCE_S: Final = 30.0


class Host(Struct, frozen=True):
    """A checkout of its own, and how it is joined to the others; None is the one that has the API."""

    name: str
    service: Service
    link: Link | None = None

    @property
    def state(self) -> Path:
        """What it keeps."""
        return self.service.home / ".quintet"

    def pids(self) -> dict[str, int]:
        """Its processes by name, supervisord first."""
        control = Control(socket_path(self.state / "run"))
        return {"supervisord": control.pid() or 0} | {one.name: one.pid for one in control.processes()}

    def do(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the commands of its operator."""
        return self.service.run("deploy.service", command, *arguments)

    def cut(self) -> None:
        """Cut it off."""
        if self.link:
            self.link.cut([pid for pid in self.pids().values() if pid])

    def join(self, pids: dict[str, int]) -> None:
        """Join it again; these are its processes."""
        if self.link:
            self.link.join([pid for pid in pids.values() if pid])


class Cluster(Struct, frozen=True):
    """All of them."""

    state: Path
    redis_url: str
    api: Host
    workers: tuple[Host, ...]

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The one with the API first."""
        return (self.api, *self.workers)

    def jobs(self) -> redis.Redis:
        """A connection to the database of the jobs."""
        return redis.Redis.from_url(self.redis_url, decode_responses=True)

    def queues(self) -> redis.Redis:
        """A connection to the database of the queues."""
        return redis.Redis.from_url(broker_url(Settings(redis_url=self.redis_url)), decode_responses=True)

    def health(self) -> dict[str, Any]:
        """The answer of `/health`."""
        with self.api.service.client(timeout_s=10) as http:
            answer: dict[str, Any] = http.get("/health").json()
            return answer

    def states(self, host: Host) -> set[str]:
        """The states of a host's workers, as the API sees them."""
        try:
            health = self.health()
        except (httpx.HTTPError, ValueError):
            return set()
        workers = (*health["health_details"], *health["segmenters"])
        return {one["state"] for one in workers if one["instance"].endswith(f"@{host.name}")}

    def forgotten_connections(self) -> int:
        """How many connections Redis has that nobody else has."""
        port = urlsplit(self.redis_url).port or 0
        pids = [os.getpid(), *(pid for host in self.hosts for pid in host.pids().values())]
        namespaces = {Path(f"/proc/{pid}/ns/net").readlink(): pid for pid in pids}
        with self.jobs() as client:
            known = len(client.client_list())
            return known - sum(_established(pid, port) for pid in namespaces.values())

    def descriptors(self) -> dict[str, int]:
        """How many each process of each host has open."""
        return {
            f"{name} of {host.name}": psutil.Process(pid).num_fds()
            for host in self.hosts
            for name, pid in host.pids().items()
        }

    def start(self, *hosts: Host) -> list[str]:
        """Start hosts at the same time; what went wrong."""
        return self._all("start", hosts)

    def stop(self) -> list[str]:
        """Stop all, and see what is left; what went wrong."""
        wrong = self._all("stop", self.hosts)
        for host in self.hosts:
            wrong += [f"{host.name} has left process {one.pid}" for one in leftovers.find(host.service.home)]
            wrong += [f"{host.name} has left {host.state / 'run'}"] * (host.state / "run").exists()
        return wrong

    def _all(self, command: str, hosts: tuple[Host, ...]) -> list[str]:
        with ThreadPoolExecutor(len(hosts)) as pool:
            done = list(pool.map(lambda host: host.do(command), hosts))
        return [
            f"{command} on {host.name} exits with {one.returncode}: {one.stdout}{one.stderr}"
            for host, one in zip(hosts, done, strict=True)
            if one.returncode
        ]


@contextmanager
def cluster(folder: Path, network: Network, **settings: str) -> Iterator[Cluster]:
    """A Redis, and hosts that are not started yet; the clock of the last one is a minute ahead."""
    with shared_redis(folder, network.address) as url:
        settings = {"ASR_REDIS_URL": url} | settings
        of_api = {"ASR_PARTS": "api,monitor,courier", "ASR_NODE": "api", "ASR_HOST": network.address}
        api = checkout(folder / "api", **settings, **of_api)
        names = [chr(97 + number) for number in range(len(network.links))]
        workers = tuple(
            Host(name, _worker(folder / name, (*link.through, *core), settings | {"ASR_NODE": name}), link)
            for name, link, core in zip(names, network.links, _cores(), strict=False)
        )
        workers[-1].service.env["PYTHONPATH"] = str(WRONG_CLOCK)
        yield Cluster(folder, url, Host("api", api), workers)


def _established(pid: int, port: int) -> int:
    """How many connections to a port there are in the network namespace of a process."""
    table = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii")
    rows = [line.split() for line in table.splitlines()[1:]]
    return sum(remote.endswith(f":{port:04X}") and state == "01" for _, _, remote, state, *_ in rows)


def _worker(home: Path, through: tuple[str, ...], settings: dict[str, str]) -> Service:
    made = checkout(home, **settings, ASR_PARTS="segmenters,instances")
    return Service(made.home, made.env, through)


def _cores() -> Iterator[tuple[str, ...]]:
    """What keeps each host to a core of its own, as long as there are any, and where that can be done."""
    own = sorted(os.sched_getaffinity(0)) if shutil.which("taskset") else []
    yield from (("taskset", "--cpu-list", str(core)) for core in own)
    yield from itertools.repeat(())


@contextmanager
def shared_redis(folder: Path, address: str) -> Iterator[str]:
    """A Redis on an address that the hosts can reach; its URL."""
    port, conf = free_port(), folder / "redis.conf"
    conf.write_text(REDIS.format(port=port, address=address, password=_PASSWORD, folder=folder))
    url = f"redis://:{_PASSWORD}@{address}:{port}/0"
    command = [embedded_redis.server_binary(), conf]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _await_answer(url)
            yield url
        finally:
            server.terminate()


def _await_answer(url: str) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.05)
            else:
                return
