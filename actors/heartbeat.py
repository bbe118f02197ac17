"""A worker says how it is, every few seconds, for as long as its process lives."""

import os
import socket
import threading

import psutil
import structlog
from typing_extensions import override

from actors import devices
from actors.clock import now_ms
from actors.devices import Device
from actors.errors import reason as reason_of
from actors.records import Capabilities, WorkerReport, WorkerState
from actors.store.workers import HEARTBEAT_S, LOST_AFTER_MS, WorkerRegistry

log = structlog.stdlib.get_logger()


class Heartbeat(threading.Thread):
    """Reports at once when the state changes, and every `HEARTBEAT_S`."""

    def __init__(self, registry: WorkerRegistry, name: str, device: Device) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._registry = registry
        self._worker = name
        self._device = device
        self._state = WorkerState.LOADING
        self._capabilities: Capabilities | None = None
        self._reason: str | None = None
        self._started_ms = now_ms()
        self._stopped = threading.Event()
        #: A report made before a change of state must not be sent after it.
        self._one_at_a_time = threading.Lock()

    def arrive(self) -> None:
        """Enter the registry, and report from now on; until it is ready, also how its predecessor ended."""
        self._registry.arrive(self._worker)
        last = self._registry.last_report(self._worker)
        self.become(WorkerState.LOADING, reason=_fate(last, socket.gethostname(), now_ms()) if last else None)
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
            self._registry.leave(self._worker)

    def _report(self) -> None:
        self._registry.report(
            WorkerReport(
                name=self._worker,
                state=self._state,
                host=socket.gethostname(),
                pid=os.getpid(),
                device=str(self._device),
                capabilities=self._capabilities,
                reason=self._reason,
                rss_mb=psutil.Process().memory_info().rss >> 20,
                gpu_mb=devices.memory_mb(self._device),
                started_ms=self._started_ms,
                beat_ms=now_ms(),
            )
        )


def _fate(last: WorkerReport, host: str, at_ms: int) -> str | None:
    """How a worker that has not left came to its end; None while it may live on another host."""
    if last.reason:  # its own error, or that of one before it which it has repeated
        return last.reason
    if last.host == host:
        return f"process {last.pid} ended unexpectedly"
    lost = at_ms - last.beat_ms > LOST_AFTER_MS
    return f"process {last.pid} on {last.host} ended unexpectedly" if lost else None
