"""A model instance: one process, one device, one loaded model.

Run as `python -m actors.instance NUMBER`, NUMBER counting from 1.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

import dramatiq
import numpy as np
import redis
import structlog

from actors import devices, logs, settings, worker
from actors.assemble import assemble
from actors.engines.base import Engine, Row
from actors.engines.catalog import create
from actors.errors import StartupError
from actors.heartbeat import Heartbeat
from actors.punctuation import unpunctuated
from actors.queue.messages import RECOGNIZE, queue
from actors.queue.slots import Slots
from actors.records import Lane, Utterance, WorkerState
from actors.results import SegmentResults
from actors.store.connection import patient
from actors.store.work import WaitingSegment, WorkStore
from actors.store.workers import WorkerRegistry

#: Full scale of 16-bit samples.
_FULL_SCALE: Final = 32_768

#: After so many failed tries without a success between, it is the instance that is sick, not the audio.
SICK_AFTER_FAILURES: Final = 5

log = structlog.stdlib.get_logger()


class Instance:
    """Recognises segments with one engine."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        client: redis.Redis,
        result_ttl_s: int,
        on_sickness: Callable[[str], None],
    ) -> None:
        self._name = name
        self._engine = engine
        self._store = WorkStore(client, result_ttl_s)
        self._results = SegmentResults(client, result_ttl_s)
        self._registry = WorkerRegistry(client)
        self._on_sickness = on_sickness
        self._failures_in_a_row = 0

    def recognize(self, job_id: str, index: int) -> None:
        """Recognise a segment; whoever finishes the last one of a job assembles it."""
        segment = self._store.take_segment(job_id, index, self._name)
        if segment is None:
            # Finished before, by a delivery whose worker died afterwards; or cancelled.
            self._finish(job_id, index, "its audio is no longer kept")
            return
        self._results.store(job_id, index, self._hear(segment))
        self._finish(job_id, index)

    def give_up(self, job_id: str, index: int, error: Exception) -> None:
        """Count a segment as failed: its tries are used up."""
        log.warning("segment.failed", job=job_id, segment=index, reason=str(error))
        self._finish(job_id, index, str(error) or type(error).__name__)

    def _hear(self, segment: WaitingSegment) -> Utterance:
        row = Row(
            samples=np.divide(segment.samples, _FULL_SCALE, dtype=np.float32),
            language=segment.options.language,
            itn=segment.options.itn,
        )
        started = time.perf_counter()
        try:
            (heard,) = self._engine.recognize([row])
        except Exception as error:
            self._count(segment, started, failure=str(error) or type(error).__name__)
            raise
        took_ms = self._count(segment, started)
        if not segment.options.punctuation:
            heard = unpunctuated(heard)
        return Utterance(
            text=heard.text,
            language=heard.language,
            emotion=heard.emotion,
            event=heard.event,
            words=heard.words,
            instance=self._name,
            took_ms=round(took_ms, 3),
        )

    def _count(self, segment: WaitingSegment, started: float, failure: str = "") -> float:
        """Count a try, and see whether there are too many failed ones; the milliseconds it took."""
        took_ms = (time.perf_counter() - started) * 1000
        self._registry.count(self._name, succeeded=not failure, audio_ms=segment.duration_ms, took_ms=took_ms)
        self._failures_in_a_row = self._failures_in_a_row + 1 if failure else 0
        if self._failures_in_a_row == SICK_AFTER_FAILURES:
            self._on_sickness(f"{SICK_AFTER_FAILURES} tries failed in a row, the last: {failure}")
        return took_ms

    def _finish(self, job_id: str, index: int, reason: str = "") -> None:
        if self._store.finish_segment(job_id, index, reason):
            assemble(self._store, self._results, job_id)


def main(number: int) -> None:
    """Load the model and work until told to stop.

    Raises:
        StartupError: the model cannot be loaded; the registry has the reason.
    """
    config = settings.load()
    name = f"instance-{number}"
    logs.configure(config, name)
    stop = worker.stop_requested()
    device = devices.assign(config, number)
    devices.pin(device)
    client = patient(config)
    heartbeat = Heartbeat(WorkerRegistry(client), name, device)
    heartbeat.arrive()
    engine = _load(config, device, heartbeat)
    heartbeat.become(WorkerState.READY, capabilities=engine.capabilities)

    def be_replaced(reason: str) -> None:
        # A fresh process may find the device well again; meanwhile the others go on.
        log.error("instance.sick", reason=reason)
        heartbeat.become(WorkerState.ERROR, reason=reason)
        stop.set()

    instance = Instance(name, engine, client, config.result_ttl_s, be_replaced)
    broker = worker.create_broker(config, Slots(1))
    dramatiq.Actor(
        instance.recognize,
        broker=broker,
        actor_name=RECOGNIZE,
        queue_name=queue(RECOGNIZE, Lane.SHORT),
        priority=0,
        options={"on_give_up": instance.give_up},
    )
    worker.run(broker, RECOGNIZE, stop)
    heartbeat.stop()


def _load(config: settings.Settings, device: devices.Device, heartbeat: Heartbeat) -> Engine:
    late = threading.Timer(config.load_timeout_s, _give_up_loading, (config.load_timeout_s, heartbeat))
    late.daemon = True
    late.start()
    started = time.perf_counter()
    try:
        engine = create(config.model)
        engine.load(device.kind, device.threads)
    except Exception as error:
        heartbeat.become(WorkerState.ERROR, reason=str(error))
        raise
    finally:
        late.cancel()
    log.info("model.loaded", model=engine.capabilities.model, device=str(device), took_s=_since(started))
    return engine


def _give_up_loading(timeout_s: int, heartbeat: Heartbeat) -> None:
    reason = f"the model did not load within ASR_LOAD_TIMEOUT_S={timeout_s}"
    heartbeat.become(WorkerState.ERROR, reason=reason)
    log.error("model.late", reason=reason)
    os._exit(1)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"instance-{sys.argv[1]} cannot start: {error}")
