"""One line per process of the service: what supervisord knows, and what a worker says of itself."""

from collections.abc import Iterable

from msgspec import Struct

from actors.names import on
from deploy.supervisor import Process, ProcessState
from monitoring.health import HealthReport, WorkerHealth

ORDER = ("redis", "api", "segmenter", "instance", "courier", "monitor")

#: These say themselves when they are ready; of the others it is enough that they run.
WORKERS = frozenset({"segmenter", "instance"})

#: supervisord's words, as an operator reads them.
WORDS = {
    ProcessState.STARTING: "starting",
    ProcessState.RUNNING: "running",
    ProcessState.BACKOFF: "exited, tried again soon",
    ProcessState.EXITED: "exited, tried again soon",
    ProcessState.FATAL: "given up",
    ProcessState.STOPPING: "stopping",
    ProcessState.STOPPED: "not started",
    ProcessState.UNKNOWN: "unknown",
}


class Line(Struct, frozen=True):
    """A process, how it is, and what else there is to say; `good` when nothing is to be waited for."""

    process: Process
    state: str
    note: str
    good: bool


def lines(processes: Iterable[Process], health: HealthReport | None, node: str = "") -> list[Line]:
    """The lines of all processes of a host: first what a request meets first."""
    workers = (*health.health_details, *health.segmenters) if health else ()
    # By pid as well, because Redis may still hold what a worker said before it was killed.
    told = {(worker.instance, worker.pid): worker for worker in workers}
    ordered = sorted(processes, key=lambda process: ORDER.index(_program(process)))
    return [_line(process, told.get((on(node, process.name), process.pid))) for process in ordered]


def _line(process: Process, worker: WorkerHealth | None) -> Line:
    if _program(process) not in WORKERS or not process.pid:
        return Line(process, WORDS[process.state], "", process.state is ProcessState.RUNNING)
    if worker is None:
        return Line(process, "starting", "", good=False)
    note = worker.reason or ", ".join(filter(None, (worker.model, _device(worker))))
    return Line(process, worker.state, note, worker.healthy)


def _device(worker: WorkerHealth) -> str | None:
    return worker.device if worker.gpu_mb is None else f"{worker.device} ({worker.gpu_mb} MiB)"


def _program(process: Process) -> str:
    return process.name.partition("-")[0]
