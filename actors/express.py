"""An instance that leaves long recordings to the others, so that short ones find it idle."""

import threading
import time
from typing import Final

import structlog
from typing_extensions import override

from actors.clock import now_ms
from actors.errors import reason
from actors.queue.slots import Slots
from actors.store.workers import HEARTBEAT_S, WorkerRegistry

#: On a CPU the others run at this niceness, or the short recordings would share the cores with the long ones.
NICENESS: Final = 10

log = structlog.stdlib.get_logger()


class Express(threading.Thread):
    """Keeps the long lane of this process closed for as long as an instance that serves it is ready.

    Args:
        registry: where the instances report.
        slots: those of this process.
        express: the instances with numbers up to this one are express.
    """

    def __init__(self, registry: WorkerRegistry, slots: Slots, express: int) -> None:
        super().__init__(name="express", daemon=True)
        self._registry = registry
        self._slots = slots
        self._express = express

    @override
    def run(self) -> None:
        while True:
            try:
                self.look()
            except Exception as error:
                # Whatever it is: the next look may tell.
                log.exception("express.failed", reason=reason(error))
            time.sleep(HEARTBEAT_S)

    def look(self) -> None:
        """Open or close the long lane."""
        ready = self._registry.ready_instances(now_ms())
        self._slots.serve_long(not any(number > self._express for number in ready))
