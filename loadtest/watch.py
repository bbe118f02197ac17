"""Looks at a service while it is under load: its health, what waits, its processes, this machine."""

import contextlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec
import psutil
from typing_extensions import override

from actors.errors import StartupError
from deploy import running
from deploy.client import trust
from deploy.supervisor import Control
from loadtest.metrics import Metrics
from loadtest.records import GpuUsage, Look, Usage
from monitoring.health import Condition, HealthReport
from monitoring.host import HostReader

#: Between two looks.
LOOK_S: Final = 1.0

#: So long an answer to a look is waited for: one that takes longer is as good as none.
PATIENCE_S: Final = 5.0

AWAY: Final = "away"


class Watch(threading.Thread):
    """Looks once a second and at the end, on a thread, so that it holds no request up.

    `with` starts and ends it.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        super().__init__(name="watch", daemon=True)
        self.looks: list[Look] = []
        self._http = client(url, headers)
        self._processes = Processes() if is_ours(url) else None
        self._host = HostReader(Path.cwd())
        self._stopped = threading.Event()
        self._began_s = time.perf_counter()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self.join()
        self._http.close()

    @override
    def run(self) -> None:
        while not self._stopped.wait(self._next_in_s()):
            self.looks.append(self.look())
        self.looks.append(self.look())

    def look(self) -> Look:
        """How the service is now."""
        at_s = time.perf_counter()
        report, health = self._health()
        health_s = time.perf_counter() - at_s
        metrics = read_metrics(self._http) if report else None
        host = self._host.read()
        workers = (*report.health_details, *report.segmenters) if report else ()
        gpu_mb = {worker.pid: worker.gpu_mb for worker in workers if worker.pid}
        return Look(
            at_s=at_s - self._began_s,
            health_s=None if health == AWAY else health_s,
            health=health,
            healthy_instances=report.healthy_instances if report else None,
            waiting_jobs=int(metrics.value("asr_jobs_waiting")) if metrics else None,
            running_jobs=int(metrics.value("asr_jobs_running")) if metrics else None,
            segments_waiting=int(metrics.value("asr_segments_waiting")) if metrics else None,
            oldest_s=metrics.value("asr_oldest_waiting_seconds") if metrics else None,
            busy=_busy(report),
            cpu=host.cpu,
            processes=self._processes.read(gpu_mb) if self._processes else {},
            gpus=tuple(
                GpuUsage(index=gpu.index, utilisation=gpu.utilisation, memory_mb=gpu.memory_mb)
                for gpu in host.gpus
            ),
        )

    def _next_in_s(self) -> float:
        """A look that was missed, as the one before it took long, is not made up for."""
        return LOOK_S - (time.perf_counter() - self._began_s) % LOOK_S

    def _health(self) -> tuple[HealthReport | None, str]:
        try:
            answer = self._http.get("/health")
        except httpx.HTTPError:
            return None, AWAY
        try:
            report = msgspec.json.decode(answer.content, type=HealthReport)
        except (msgspec.DecodeError, UnicodeDecodeError):  # another server, which may know no such path
            return None, "unhealthy" if answer.is_server_error else "healthy"
        return report, report.status


class Processes:
    """The processes of the service of this checkout."""

    def __init__(self) -> None:
        self._known: dict[int, psutil.Process] = {}
        self.read({})  # what is measured since the look before needs one

    def read(self, gpu_mb: Mapping[int, int | None]) -> dict[str, Usage]:
        """What each uses, the processor since the last time; without those that have just begun."""
        try:
            pids = {process.name: process.pid for process in Control().processes() if process.pid}
        except (OSError, StartupError):
            return {}
        self._known = {pid: one for pid, one in self._known.items() if pid in pids.values()}
        found = {}
        for name, pid in pids.items():
            with contextlib.suppress(psutil.Error):
                if usage := self._usage(pid, gpu_mb.get(pid)):
                    found[name] = usage
        return found

    def _usage(self, pid: int, gpu_mb: int | None) -> Usage | None:
        process = self._known.get(pid)
        if process is None:
            self._known[pid] = process = psutil.Process(pid)
            process.cpu_percent()
            return None
        with process.oneshot():
            cores, rss_mb = process.cpu_percent() / 100, process.memory_info().rss / 2**20
        return Usage(cpu_cores=round(cores, 4), rss_mb=round(rss_mb, 1), gpu_mb=gpu_mb)


def _busy(report: HealthReport | None) -> dict[str, bool]:
    instances = report.health_details if report else ()
    return {one.instance: one.state is Condition.BUSY for one in instances if one.healthy}


def client(url: str, headers: Mapping[str, str]) -> httpx.Client:
    """A connection for looks, through no proxy: the service is on this machine, or near."""
    trusted = trust() if is_ours(url) else True  # else whoever the system trusts
    return httpx.Client(
        base_url=url, headers=dict(headers), timeout=PATIENCE_S, trust_env=False, verify=trusted
    )


def is_ours(url: str) -> bool:
    """Whether it is the service that runs from this checkout."""
    service = running.read()
    return service is not None and service.url == url


def read_metrics(http: httpx.Client) -> Metrics | None:
    """`/metrics`; None where there is none."""
    try:
        answer = http.get("/metrics")
    except httpx.HTTPError:
        return None
    return Metrics.parse(answer.text) if answer.is_success else None
