"""The service that is attacked: a checkout of its own, and what is inside."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import redis

from actors.names import WorkerName
from actors.settings import Settings
from actors.store.connection import broker_url, connect
from deploy import running
from deploy.paths import socket_path
from deploy.supervisor import Control, Process, ProcessState
from tests.checkouts import Service, checkout
from tests.receiver import SECRET

#: Shorter times than an operator has, so that all faults fit into minutes.
SETTINGS: Final = {
    "ASR_MODEL": "tests.doubles.engines:FaultyEngine",
    "ASR_MONITOR_INTERVAL_S": "1",
    "ASR_REQUEST_TIMEOUT_S": "60",
    "ASR_BATCH_TIMEOUT_S": "10",
    "ASR_HANG_TIMEOUT_S": "20",
    "ASR_CALLBACK_SECRET": SECRET,
    "ASR_CALLBACK_PRIVATE": "true",
}

_POLL_S: Final = 0.2

_UP: Final = {ProcessState.STARTING, ProcessState.RUNNING}


class Target:
    """A service whose temporary files lie in its checkout too, so that one disk holds all it writes."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.temporary = home / "tmp"
        self.temporary.mkdir()
        self.service: Service = checkout(home, **SETTINGS | settings, TMPDIR=str(self.temporary))
        self.state = home / ".quintet"

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.service.url

    def control(self) -> Control:
        """The supervisord of this checkout."""
        return Control(socket_path(self.state / "run"))

    def processes(self) -> dict[str, Process]:
        """Those that supervisord looks after, by name; none while it does not run."""
        try:
            return {process.name: process for process in self.control().processes()}
        except OSError:
            return {}

    def pids(self) -> dict[str, int]:
        """All processes that run, by name, supervisord too."""
        pids = {name: process.pid for name, process in self.processes().items()}
        pids["supervisord"] = self.control().pid() or 0
        return {name: pid for name, pid in pids.items() if pid}

    def jobs(self) -> redis.Redis:
        """A connection to the database of the jobs."""
        return connect(self._redis_url(), decode_responses=True)

    def queues(self) -> redis.Redis:
        """A connection to the database of the queues."""
        return connect(broker_url(Settings(redis_url=self._redis_url())), decode_responses=True)

    def redis_answers(self) -> bool:
        """Whether Redis does."""
        try:
            with self.jobs() as client:
                return bool(client.ping())
        except (redis.RedisError, LookupError):
            return False

    def is_well(self) -> bool:
        """Whether every process runs, every worker is healthy, and the monitor looks.

        For a while a worker that was killed still looks healthy: it has to be the one that runs now.
        """
        processes = self.processes()
        if not processes or any(process.state not in _UP for process in processes.values()):
            return False
        try:
            with self.service.client(timeout_s=5) as http:
                health = http.get("/health").json()
                workers = [*health["health_details"], *health["segmenters"]]
                return (
                    health["status"] == "healthy"
                    and all(
                        worker["pid"] == processes[process_of(worker["instance"])].pid for worker in workers
                    )
                    and not http.get("/monitoring/alerts").json()["is_stale"]
                )
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def _redis_url(self) -> str:
        known = running.read(self.state / "run" / running.RECORD.name)
        if known is None:
            raise LookupError("the service does not run")
        return known.redis_url


def until(happened: Callable[[], bool], within_s: float) -> bool:
    """Wait for something; false when it does not happen in time."""
    deadline_s = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_POLL_S)
    return True


def process_of(worker: str) -> str:
    """What supervisord calls a worker, without the host that its name ends with on a Redis of one's own."""
    return WorkerName.parse(worker).process
