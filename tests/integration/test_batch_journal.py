"""What an instance notes of its batches."""

import numpy as np
import pytest
import redis

from actors.batch_journal import BatchJournal
from actors.batcher import Request
from actors.clock import now_ms
from actors.engines.base import Row
from actors.hang_watch import HangWatch
from actors.meters import METERS
from actors.metrics import STAGE_S, Stage
from actors.queue.delivery_limit import DeliveryLimit
from actors.store.workers import WorkerRegistry


@pytest.mark.parametrize("urgent", [True, False])
def test_segments_of_long_recordings_wait_by_design(client: redis.Redis, *, urgent: bool) -> None:
    """How long they do says nothing of the service, and is not measured; that of short ones is."""
    registry, deliveries, watch = WorkerRegistry(client), DeliveryLimit(client), HangWatch(300, print)
    journal = BatchJournal("instance-1", registry, deliveries, print, print, watch=watch)
    row = Row(samples=np.zeros(16_000, np.float32), language="en", itn=True)
    METERS.take()

    journal.begun([Request(row=row, id="m1", enqueued_ms=now_ms() - 40_000, urgent=urgent)])

    waits = [field for field in METERS.take() if field.startswith(STAGE_S.field([Stage.WAIT])[:-1])]
    assert bool(waits) is urgent
