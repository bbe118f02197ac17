"""An instance that has grown past its limit ends itself in order, and supervisord starts it anew.

Whatever leaks in a library, or stays scattered over the heap, then costs no more than one load of the model.
"""

import ctypes
import gc
import sys
import threading
import time
from typing import Final

import psutil
import structlog
from typing_extensions import override

from actors.clock import now_ms
from actors.errors import reason
from actors.names import WorkerName
from actors.settings import Settings
from actors.store.workers import HEARTBEAT_S, WorkerRegistry, count_on

#: An instance that is away may take so much longer than its model: to end its work, and to start.
_END_AND_START_S: Final = 60

#: How often the allocator's leftovers go back to the system: it takes milliseconds, and the pages that are
#: needed again some more.
GIVE_BACK_EVERY_S: Final = 30

#: An instance may in any case grow so far from what it has with its model: what one batch needs is no leak.
_GROWTH: Final = 1.5

log = structlog.stdlib.get_logger()


def own_mb() -> int:
    """The memory that ends with this process.

    Without what is mapped from files: weights and libraries are shared, and do not grow. On Linux that is
    two numbers of `/proc/self/statm`; elsewhere, as on macOS, psutil walks the mappings, in milliseconds.
    """
    process = psutil.Process()
    memory = process.memory_info()
    if hasattr(memory, "shared"):
        own: int = memory.rss - memory.shared
        return own >> 20
    return process.memory_full_info().uss >> 20


def give_back() -> None:
    """Return to the system what the allocator holds free, between what is in use too.

    Batches of many sizes leave the heap full of holes; with glibc it would keep them, and creep upwards for
    hours. Does nothing with other allocators.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def watch(config: Settings, registry: WorkerRegistry, name: WorkerName, stop: threading.Event) -> None:
    """With the model loaded: set `stop` once the instance is to be started anew."""
    # What has been loaded stays. Not counted, it no longer puts off looking for garbage among what comes.
    gc.freeze()
    gc.collect()
    registry.end_recycling(str(name))
    limit_mb, loaded_mb = config.instance_max_mb or sys.maxsize, own_mb()
    least_mb = int(loaded_mb * _GROWTH)
    if limit_mb < least_mb:
        # A successor would be as large soon.
        log.warning("instance.limit_too_low", own_mb=loaded_mb, limit_mb=limit_mb, used_mb=least_mb)
        limit_mb = least_mb
    lease_s = config.load_timeout_s + _END_AND_START_S
    Recycler(registry, name, limit_mb, config.instances, lease_s, stop).start()


class Recycler(threading.Thread):
    """Looks every `HEARTBEAT_S` how large the instance is; every `GIVE_BACK_EVERY_S` it gives memory back.

    The instance ends only while all of the `instances` of its host are ready, this one included, and nobody
    else on any host is about it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it stands between
        self,
        registry: WorkerRegistry,
        name: WorkerName,
        limit_mb: int,
        instances: int,
        lease_s: int,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="recycler", daemon=True)
        self._registry = registry
        self._instance = name
        self._limit_mb = limit_mb
        self._instances = instances
        self._lease_s = lease_s
        self._told_to_stop = stop

    @override
    def run(self) -> None:
        given_back_s = time.monotonic()
        while not self._told_to_stop.wait(HEARTBEAT_S):
            try:
                if time.monotonic() - given_back_s >= GIVE_BACK_EVERY_S:
                    give_back()
                    given_back_s = time.monotonic()
                self.look(own_mb())
            except Exception as error:
                # Whatever it is: the next look may tell.
                log.exception("recycler.failed", reason=reason(error))

    def look(self, now_mb: int) -> None:
        """End the instance if it is too large, and its turn."""
        if now_mb <= self._limit_mb:
            return
        if count_on(self._instance.node, self._registry.ready_instances(now_ms())) < self._instances:
            return
        if self._registry.begin_recycling(str(self._instance), self._lease_s):
            log.info("instance.recycled", own_mb=now_mb, limit_mb=self._limit_mb)
            self._told_to_stop.set()
