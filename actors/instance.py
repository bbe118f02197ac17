"""A model instance: one process, one device, one loaded model.

Run as `python -m actors.instance NUMBER`, NUMBER counting from 1.
"""

import logging
import os
import socket
import sys
import threading
import time
from typing import Final

import dramatiq
import numpy as np
import structlog
from msgspec.structs import replace

from actors import clock_follower, devices, logs, recycling, settings, worker
from actors.assemble import assemble
from actors.batch_journal import BatchJournal
from actors.batcher import Batcher, Limits, Request, usual_limits
from actors.engines.base import Engine, Row
from actors.engines.catalog import create
from actors.errors import StartupError, reason
from actors.express import NICENESS, LaneKeeper
from actors.flusher import Flusher
from actors.hang_watch import HangWatch
from actors.heartbeat import Heartbeat
from actors.life_sign import LifeSign
from actors.metrics import SEGMENTS, Outcome
from actors.names import WorkerKind, WorkerName
from actors.punctuation import unpunctuated
from actors.queue.delivery_limit import DeliveryLimit, current
from actors.queue.messages import RECOGNIZE, deliver_callback, queue
from actors.queue.slots import Slots
from actors.queue.turns import Rules
from actors.records import Lane, Utterance, WorkerState
from actors.replacements import corrected
from actors.store.connection import patient
from actors.store.work import WaitingSegment, WorkStore
from actors.store.workers import WorkerRegistry

#: Full scale of 16-bit samples.
_FULL_SCALE: Final = 32_768

log = structlog.stdlib.get_logger()


class Instance:
    """Recognises segments, several at a time."""

    def __init__(self, name: str, store: WorkStore, batcher: Batcher) -> None:
        self._name = name
        self._store = store
        self._batcher = batcher

    def recognize(self, job_id: str, index: int) -> None:
        """Recognise a segment; whoever finishes the last one of a job assembles it."""
        segment = self._store.take_segment(job_id, index)
        if segment is None:
            # Finished before, by a delivery whose worker died afterwards; or cancelled.
            self._finish(job_id, index, reason="its audio is no longer kept")
            return
        self._finish(job_id, index, heard=self._hear(job_id, index, segment))
        SEGMENTS.add(Outcome.RECOGNISED)

    def give_up(self, job_id: str, index: int, error: Exception) -> None:
        """Count a segment as failed: its tries are used up."""
        SEGMENTS.add(Outcome.FAILED)
        log.warning("segment.failed", job=job_id, segment=index, reason=reason(error))
        self._finish(job_id, index, reason=reason(error))

    def _hear(self, job_id: str, index: int, segment: WaitingSegment) -> Utterance:
        delivery = current()
        row = Row(
            samples=np.divide(segment.samples, _FULL_SCALE, dtype=np.float32),
            language=segment.options.language,
            itn=segment.options.itn,
        )
        heard = self._batcher.recognize(
            Request(
                row=row,
                id=delivery.id,
                enqueued_ms=delivery.enqueued_ms,
                urgent=delivery.lane is Lane.SHORT or delivery.suspect,
                alone=delivery.suspect,
                job=job_id,
                segment=index,
            )
        )
        said = heard.hypothesis
        if not segment.options.punctuation:
            said = unpunctuated(said)
        said = corrected(said, segment.options.replacements)
        return Utterance(
            text=said.text,
            language=said.language,
            emotion=said.emotion,
            event=said.event,
            words=said.words,
            instance=self._name,
            took_ms=round(heard.took_ms, 3),
        )

    def _finish(self, job_id: str, index: int, *, reason: str = "", heard: Utterance | None = None) -> None:
        cut = self._store.finish_segment(job_id, index, reason, heard)
        log.debug("segment.finished", job=job_id, segment=index, last=cut is not None)
        if cut:
            assemble(self._store, cut)


def main(number: int) -> None:
    """Load the model and work until told to stop.

    Raises:
        StartupError: the model cannot be loaded; the registry has the reason.
    """
    config = settings.load()
    name = WorkerName.of(config, WorkerKind.INSTANCE, number)
    is_express = number <= config.express
    logs.configure(config, name.process)
    LifeSign().start()
    clock_follower.follow(config)
    stop = worker.stop_requested()
    device = devices.assign(config, number)
    devices.pin(device)
    if device.kind == "cpu" and config.express and not is_express:
        os.nice(NICENESS)
    client = patient(config)
    registry = WorkerRegistry(client)
    heartbeat = Heartbeat(registry, name, device, socket.gethostname(), express=is_express)
    heartbeat.arrive()
    engine = _load(config, device, heartbeat)
    heartbeat.become(WorkerState.READY, capabilities=engine.capabilities)
    recycling.watch(config, registry, name, stop)

    def be_replaced(why: str) -> None:
        # A fresh process may find the device well again; meanwhile the others go on.
        log.error("instance.sick", reason=why)
        heartbeat.become(WorkerState.ERROR, reason=why)
        stop.set()

    batch = limits(config, device.kind, engine)
    # Twice a batch, so that the next one comes together while the engine is busy with this one; the long
    # lane fills one of them at most.
    slots = Slots(2 * batch.rows, batch.rows, sharers=config.instances)
    deliveries = DeliveryLimit(client)
    watch = HangWatch(config.batch_timeout_s, lambda _: _give_up_batch(config.batch_timeout_s, heartbeat))
    journal = BatchJournal(str(name), registry, deliveries, be_replaced, slots.recognised, watch=watch)
    watch.start()
    batcher = Batcher(engine, batch, journal, expected=slots.unrecognised)
    turns = rules(config, device, number, batch)
    broker = worker.create_broker(config, slots, deliveries, turns, express=is_express)
    store = WorkStore(client, config.result_ttl_s, lambda ended: broker.enqueue(deliver_callback(ended)))
    instance = Instance(str(name), store, batcher)
    dramatiq.Actor(
        instance.recognize,
        broker=broker,
        actor_name=RECOGNIZE,
        queue_name=queue(RECOGNIZE, Lane.SHORT),
        priority=0,
        options={"on_give_up": instance.give_up, "begins_itself": True},
    )
    LaneKeeper(registry, store, slots, name, is_express=is_express, instances=config.instances).start()
    with Flusher.of(config):
        worker.run(broker, RECOGNIZE, stop, count_unfinished=batcher.close)
    heartbeat.stop()


def limits(config: settings.Settings, device: str, engine: Engine) -> Limits:
    """How large a batch may become on a device, `cpu` or `cuda`."""
    usual = usual_limits(device, engine)
    return replace(usual, rows=config.batch_rows or usual.rows, audio_s=config.batch_s or usual.audio_s)


def rules(config: settings.Settings, device: devices.Device, number: int, batch: Limits) -> Rules | None:
    """How an instance takes turns with the others at its cores; None where each has its own, or a GPU."""
    at_once = devices.cores() // device.threads
    if device.kind != "cpu" or at_once >= config.instances:
        return None
    return Rules(
        cores=devices.own_cores(),
        at_once=at_once,
        rows=batch.rows,
        audio_s=batch.audio_s,
        express=number <= config.express,
    )


def _load(config: settings.Settings, device: devices.Device, heartbeat: Heartbeat) -> Engine:
    late = threading.Timer(config.load_timeout_s, _give_up_loading, (config.load_timeout_s, heartbeat))
    late.daemon = True
    late.start()
    started = time.perf_counter()
    try:
        engine = create(config.model, None if config.precision == "auto" else config.precision)
        engine.load(device.kind, device.threads)
    except Exception as error:
        heartbeat.become(WorkerState.ERROR, reason=str(error) or type(error).__name__)
        raise
    finally:
        late.cancel()
    log.info("model.loaded", model=engine.capabilities.model, device=str(device), took_s=_since(started))
    return engine


def _give_up_loading(timeout_s: int, heartbeat: Heartbeat) -> None:
    late = f"the model did not load within ASR_LOAD_TIMEOUT_S={timeout_s}"
    log.error("model.late", reason=late)
    _die(late, heartbeat)


def _give_up_batch(timeout_s: int, heartbeat: Heartbeat) -> None:
    hangs = f"the engine was not done with a batch within ASR_BATCH_TIMEOUT_S={timeout_s}"
    log.error("engine.hangs", reason=hangs)
    _die(hangs, heartbeat)


def _die(why: str, heartbeat: Heartbeat) -> None:
    """End this process, whatever its other threads do; what it has in hand comes back by itself."""
    try:
        heartbeat.become(WorkerState.ERROR, reason=why)
    finally:  # Redis may be away
        logging.shutdown()  # nothing else will
        os._exit(1)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"instance-{sys.argv[1]} cannot start: {error}")
