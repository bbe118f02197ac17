"""A worker says how it is, every few seconds, for as long as its process lives."""

import os
import threading
from typing import Final

import psutil
import structlog
from typing_extensions import override

from actors import devices
from actors.clock import now_ms
from actors.devices import Device
from actors.errors import reason as reason_of
from actors.names import WorkerName
from actors.records import Capabilities, WorkerReport, WorkerState
from actors.store.workers import HEARTBEAT_S, LOST_AFTER_MS, WorkerRegistry

#: What helps where two processes have the same name.
_REMEDY: Final = "give each host a name of its own with ASR_NODE"

log = structlog.stdlib.get_logger()


class Heartbeat(threading.Thread):
    """Reports at once when the state changes, and every `HEARTBEAT_S`.

    `host` is what this machine calls itself; `express`: whether it is an instance that leaves long recordings
    to others.
    """

    def __init__(
        self, registry: WorkerRegistry, name: WorkerName, device: Device, host: str, *, express: bool = False
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._registry = registry
        self._worker = str(name)
        self._device = device
        self._host = host
        self._express = express
        self._state = WorkerState.LOADING
        self._capabilities: Capabilities | None = None
        self._reason: str | None = None
        #: Of another process that reports under the same name.
        self._rival: str | None = None
        self._started_ms = now_ms()
        self._stopped = threading.Event()
        #: A report made before a change of state must not be sent after it.
        self._one_at_a_time = threading.Lock()

    def arrive(self) -> None:
        """Enter the registry, and report from now on; until it is ready, also how its predecessor ended."""
        last = self._registry.last_report(self._worker)
        fate = _fate(last, self._host, now_ms()) if last else None
        self._registry.arrive(self._worker, predecessor_died=fate is not None)
        self.become(WorkerState.LOADING, reason=fate)
        self.start()

    def become(
        self, state: WorkerState, *, capabilities: Capabilities | None = None, reason: str | None = None
    ) -> None:
        """Report a new state now."""
        with self._one_at_a_time:
            self._state, self._reason = state, reason
            self._capabilities = capabilities or self._capabilities
            self._report()

    @override
    def run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_S):
            try:
                with self._one_at_a_time:
                    self._report()
            except Exception as error:
                # Whatever it is: a process that works must not come to look dead.
                log.exception("heartbeat.failed", reason=reason_of(error))

    def stop(self) -> None:
        """Report no more, and leave the registry; an error stays there, for the successor to repeat."""
        self._stopped.set()
        self.join()
        if self._state is not WorkerState.ERROR:
            self._registry.leave(self._worker, now_ms())

    def _report(self) -> None:
        said = WorkerReport(
            name=self._worker,
            state=self._state,
            host=self._host,
            pid=os.getpid(),
            device=str(self._device),
            capabilities=self._capabilities,
            express=self._express,
            reason=self._reason or self._rival,
            rss_mb=psutil.Process().memory_info().rss >> 20,
            gpu_mb=devices.memory_mb(self._device),
            started_ms=self._started_ms,
            beat_ms=now_ms(),
        )
        before = self._registry.report(said)
        if self.is_alive():  # what was said before its first report, its predecessor has said
            self._look_at_rival(said, before)

    def _look_at_rival(self, said: WorkerReport, before: WorkerReport | None) -> None:
        """Notice whether anybody else has reported under this name since this process has."""
        if before is None or _same_process(said, before):
            self._rival = None
            return
        rival = f"process {before.pid} on {before.host}"
        if self._rival is None:
            log.error("worker.name_taken", by=rival, remedy=_REMEDY)
        self._rival = f"{rival} has the same name: {_REMEDY}"


def _same_process(one: WorkerReport, other: WorkerReport) -> bool:
    return (one.host, one.pid, one.started_ms) == (other.host, other.pid, other.started_ms)


def _fate(last: WorkerReport, host: str, at_ms: int) -> str | None:
    """How a worker that has not left came to its end; None while it may live on another host."""
    is_elsewhere = last.host != host
    if is_elsewhere and at_ms - last.beat_ms <= LOST_AFTER_MS:
        return None
    where = f" on {last.host}" if is_elsewhere else ""
    # A reason is its own error, or that of one before it which it has repeated.
    return last.reason or f"process {last.pid}{where} ended unexpectedly"
