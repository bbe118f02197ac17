"""Which lane an instance serves: the express ones leave long recordings to the others, and get short ones.

Without this a short recording would wait for the batch of a long one that every instance has in hand.
"""

import threading
import time
from typing import Final

import structlog
from typing_extensions import override

from actors.clock import now_ms
from actors.errors import reason
from actors.names import WorkerName
from actors.queue.slots import Slots
from actors.store.work import WorkStore
from actors.store.workers import HEARTBEAT_S, WorkerRegistry, count_on

#: On a CPU the others run at this niceness, or the short recordings would share the cores with the long ones.
NICENESS: Final = 10

#: Whoever has long segments in hand leaves short ones to the express instances for so long: then these have
#: their hands full, or hang.
LEFT_TO_EXPRESS_S: Final = 1.0

#: As long as an instance of their host is missing the others of it look this often: what they take on for it,
#: or leave to it, is to change as soon as it is ready.
LOOK_OUT_S: Final = 0.25

log = structlog.stdlib.get_logger()


class LaneKeeper(threading.Thread):
    """Adapts the slots of an instance to who else is ready, every `HEARTBEAT_S`, or `LOOK_OUT_S`.

    Each host has express instances of its own, because only its own cores can be kept for them; but the
    queues are those of all hosts, and so are the instances that lanes are left to.

    Args:
        registry: where the instances of all hosts report.
        store: where the backlog is counted.
        slots: those of this instance.
        name: of this instance.
        is_express: whether it leaves long recordings to others.
        instances: how many its host has.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        registry: WorkerRegistry,
        store: WorkStore,
        slots: Slots,
        name: WorkerName,
        *,
        is_express: bool,
        instances: int,
    ) -> None:
        super().__init__(name="lane-keeper", daemon=True)
        self._registry = registry
        self._store = store
        self._slots = slots
        self._node = name.node
        self._is_express = is_express
        self._instances = instances

    @override
    def run(self) -> None:
        while True:
            complete = False
            try:
                complete = self.look()
            except Exception as error:
                # Whatever it is: the next look may tell.
                log.exception("express.failed", reason=reason(error))
            time.sleep(HEARTBEAT_S if complete else LOOK_OUT_S)

    def look(self) -> bool:
        """See who is ready, and keep to what that means for this instance; whether all of its host are."""
        ready = self._registry.ready_instances(now_ms())
        express = sum(one.express for one in ready)
        sharers = max(len(ready), self._instances)
        if self._is_express:
            others = len(ready) - express
            self._slots.serve_long(not others)
            alone = others and self._store.long_backlog_ms()
            self._slots.share_with(express if alone else sharers)
        else:
            self._slots.leave_short(LEFT_TO_EXPRESS_S if express else 0)
            self._slots.share_with(sharers)
        return count_on(self._node, ready) >= self._instances
