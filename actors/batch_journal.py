"""What an instance writes down of its batches: what it is busy with, how it fares, and whether it is sick."""

from collections.abc import Callable, Sequence
from typing import Final

from actors.batcher import Outcome, Request
from actors.errors import DeviceLost, reason
from actors.queue.delivery_limit import DeliveryLimit
from actors.store.workers import Tries, WorkerRegistry

#: After so many failed tries without a success between, it is the instance that is sick, not the audio.
SICK_AFTER_FAILURES: Final = 5


class BatchJournal:
    """The batcher's journal of an instance; `on_sickness` hears, once, why it should be replaced."""

    def __init__(
        self,
        name: str,
        registry: WorkerRegistry,
        deliveries: DeliveryLimit,
        on_sickness: Callable[[str], None],
    ) -> None:
        self._name = name
        self._registry = registry
        self._deliveries = deliveries
        self._on_sickness = on_sickness
        self._failures_in_a_row = 0
        self._sick = False

    def begun(self, batch: Sequence[Request]) -> None:
        """The instance is busy, and answers for these with its life."""
        self._registry.busy(self._name, len(batch))
        self._deliveries.begin([request.id for request in batch])

    def ended(self, batch: Sequence[Request], outcomes: Sequence[Outcome], *, idle: bool) -> None:
        """Count the tries."""
        succeeded = [outcome.error is None for outcome in outcomes]
        self._registry.count(
            self._name,
            Tries(
                succeeded=sum(succeeded),
                failed=len(succeeded) - sum(succeeded),
                audio_ms=round(sum(request.audio_s for request in batch) * 1000),
                busy_ms=round(sum(outcome.took_ms for outcome in outcomes)),
            ),
            idle=idle,
        )
        for outcome in outcomes:
            self._judge(outcome)

    def _judge(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self._failures_in_a_row = 0
            return
        self._failures_in_a_row += 1
        if isinstance(outcome.error, DeviceLost):
            self._be_sick(f"the device is lost: {reason(outcome.error)}")
        elif self._failures_in_a_row == SICK_AFTER_FAILURES:
            self._be_sick(f"{SICK_AFTER_FAILURES} tries failed in a row, the last: {reason(outcome.error)}")

    def _be_sick(self, why: str) -> None:
        if not self._sick:
            self._sick = True
            self._on_sickness(why)
