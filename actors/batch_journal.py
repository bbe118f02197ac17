"""What an instance writes down of its batches: what it is busy with, how it fares, and whether it is sick."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from actors.batcher import Failed, Heard, Request
from actors.clock import now_ms
from actors.errors import DeviceLost, reason
from actors.hang_watch import HangWatch
from actors.metrics import AUDIO_S, BATCH_ROWS, STAGE_S, Stage
from actors.queue.delivery_limit import DeliveryLimit
from actors.store.workers import Tries, WorkerRegistry

#: After so many failed tries without a success between, it is the instance that is sick, not the audio.
SICK_AFTER_FAILURES: Final = 5

#: What the watch calls the batch in hand: there is one at a time.
_BATCH: Final = "batch"

log = structlog.stdlib.get_logger()


class BatchJournal:
    """The batcher's journal of an instance.

    `watch` sees to it that the engine does not hang. `on_sickness` hears, once, why the instance should be
    replaced; `on_recognised`, which messages the engine has done with.
    """

    def __init__(  # noqa: PLR0913 - those that it tells
        self,
        name: str,
        registry: WorkerRegistry,
        deliveries: DeliveryLimit,
        on_sickness: Callable[[str], None],
        on_recognised: Callable[[Sequence[str]], None],
        *,
        watch: HangWatch,
    ) -> None:
        self._name = name
        self._registry = registry
        self._deliveries = deliveries
        self._on_sickness = on_sickness
        self._on_recognised = on_recognised
        self._watch = watch
        self._failures_in_a_row = 0
        self._sick = False

    def begun(self, batch: Sequence[Request]) -> None:
        """The instance answers for these with its life, as `begins_itself` has promised, and is busy."""
        self._registry.busy(self._name, lambda pipe: self._deliveries.begin(pipe, [r.id for r in batch]))
        BATCH_ROWS.observe(len(batch))
        for request in batch:
            waited_ms = None if request.enqueued_ms is None else max(0, now_ms() - request.enqueued_ms)
            if waited_ms is not None and request.urgent:
                STAGE_S.observe(waited_ms / 1000, Stage.WAIT)
            log.debug(
                "segment.begun",
                job=request.job,
                segment=request.segment,
                rows=len(batch),
                waited_ms=waited_ms,
            )
        self._watch.begin(_BATCH)

    def ended(self, batch: Sequence[Request], outcomes: Sequence[Heard | Failed], *, idle: bool) -> None:
        """Count and measure the tries, and judge whether the instance is sick."""
        self._watch.end(_BATCH)
        self._on_recognised([request.id for request in batch])
        failed = sum(isinstance(outcome, Failed) for outcome in outcomes)
        tries = Tries(
            succeeded=len(outcomes) - failed,
            failed=failed,
            audio_ms=round(sum(request.audio_s for request in batch) * 1000),
            busy_ms=round(sum(outcome.took_ms for outcome in outcomes)),
        )
        for request, outcome in zip(batch, outcomes, strict=True):
            self._judge(request, outcome)
        self._registry.count(self._name, tries, idle=idle)

    def _judge(self, request: Request, outcome: Heard | Failed) -> None:
        if isinstance(outcome, Heard):
            STAGE_S.observe(outcome.took_ms / 1000, Stage.RECOGNISE)
            AUDIO_S.add(amount=request.audio_s)
            took_ms = round(outcome.took_ms, 3)
            log.debug("segment.recognised", job=request.job, segment=request.segment, took_ms=took_ms)
            self._failures_in_a_row = 0
            return
        self._failures_in_a_row += 1
        if isinstance(outcome.error, DeviceLost):
            self._deliveries.blame([request.id])
            self._be_sick(f"the device is lost: {reason(outcome.error)}")
        elif self._failures_in_a_row == SICK_AFTER_FAILURES:
            self._be_sick(f"{SICK_AFTER_FAILURES} tries failed in a row, the last: {reason(outcome.error)}")

    def _be_sick(self, why: str) -> None:
        if not self._sick:
            self._sick = True
            self._on_sickness(why)
