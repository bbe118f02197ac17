"""An instance takes short recordings only, as long as another one takes the long ones."""

import redis

from actors.clock import now_ms
from actors.express import Express
from actors.queue.slots import Slots
from actors.records import Lane, WorkerReport, WorkerState
from actors.store.workers import LOST_AFTER_MS, WorkerRegistry


def report(name: str, state: WorkerState = WorkerState.READY, ago_ms: int = 0) -> WorkerReport:
    """What a worker has said."""
    now = now_ms() - ago_ms
    return WorkerReport(
        name=name, state=state, host="here", pid=1, device="cpu", rss_mb=1, started_ms=now, beat_ms=now
    )


def test_long_recordings_have_somebody(client: redis.Redis) -> None:
    """The express instance takes them while every other one is loading, in error, lost, or express too."""
    client.flushdb()
    registry = WorkerRegistry(client)
    slots = Slots(2)
    express = Express(registry, slots, 2)

    def takes_long() -> bool:
        express.look()
        taken = slots.reserve(Lane.LONG, 0)
        if taken:
            slots.cancel(Lane.LONG)
        return taken

    registry.report(report("instance-1"))
    registry.report(report("instance-2"))
    registry.report(report("segmenter-3"))
    registry.report(report("instance-3", WorkerState.LOADING))
    registry.report(report("instance-4", WorkerState.ERROR))
    registry.report(report("instance-5", ago_ms=LOST_AFTER_MS + 1000))
    assert takes_long()
    registry.report(report("instance-3"))
    assert not takes_long()
    registry.leave("instance-3")
    assert takes_long()
