"""A segmenter: decodes uploads, cuts them into segments, and hands those to the instances.

Run as `python -m actors.segmenter NUMBER`.
"""

import contextlib
import io
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

import dramatiq
import structlog

from actors import clock_follower, logs, settings, weights, worker
from actors.assemble import assemble
from actors.audio.memory_bound import bound_memory
from actors.audio.recording import Recording, open_recording
from actors.audio.resample import Pcm
from actors.audio.segments import Piece, by_speech, whole
from actors.audio.vad import VoiceActivityDetector
from actors.clock import now_ms
from actors.devices import Device
from actors.errors import AudioTooLong, JobError, PoisonousAudio, StartupError
from actors.flusher import Flusher
from actors.hang_watch import HangWatch
from actors.heartbeat import Heartbeat
from actors.life_sign import LifeSign
from actors.metrics import STAGE_S, Stage
from actors.names import WorkerKind, WorkerName
from actors.queue.broker import DoorbellBroker
from actors.queue.delivery_limit import DeliveriesExceeded
from actors.queue.messages import SEGMENT, deliver_callback, queue, recognize_segment, segment_job
from actors.queue.slots import Slots
from actors.records import Job, JobState, Lane, WorkerState
from actors.stopwatch import Stopwatch
from actors.store.connection import patient
from actors.store.uploads import UploadFile, UploadGone
from actors.store.work import Begun, CutAgain, WorkStore
from actors.store.workers import WorkerRegistry

#: Recordings cut at the same time by one process, and how many of them may be long.
THREADS: Final = 4
LONG_THREADS: Final = 2

#: However full the spool, so much of a job may wait for recognition.
MIN_AHEAD_MS: Final = 60_000

#: What a decoder may take for ten seconds of audio, or a megabyte of the file: a thousand times the usual.
DECODE_TIMEOUT_S: Final = 30.0

#: Pause before a segmenter that is far ahead looks again.
WINDOW_POLL_S: Final = 0.1

log = structlog.stdlib.get_logger()


class BelongsInLongLane(Exception):
    """A recording turns out to be long, and must not hold up the short ones."""


class Segmenter:
    """Cuts jobs into segments.

    `be_replaced` is told why when a decoder hangs, which keeps its thread for good.
    """

    def __init__(
        self,
        config: settings.Settings,
        store: WorkStore,
        broker: DoorbellBroker,
        vad: VoiceActivityDetector,
        be_replaced: Callable[[str], object],
    ) -> None:
        self._config = config
        self._store = store
        self._broker = broker
        self._vad = vad
        self._be_replaced = be_replaced
        self.watch = HangWatch(DECODE_TIMEOUT_S, self._abandon)
        #: Jobs whose decoder hangs here, and those that wait until the instances have come nearer.
        self._abandoned = set[str]()
        self._ahead = set[str]()

    def segment(self, job_id: str, lane: Lane) -> None:
        """Cut a job's upload; hands over each segment as soon as it closes.

        Raises:
            JobError: the job cannot succeed, whoever tries.
        """
        while True:
            try:
                self._segment(job_id, lane)
            except CutAgain:
                log.warning("job.cut_again")
            else:
                return

    def _segment(self, job_id: str, lane: Lane) -> None:
        begun = self._store.begin(job_id)
        if begun is None:
            return
        job = begun.job
        log.debug("job.begun", lane=lane, waited_ms=max(0, now_ms() - job.created_ms))
        if lane == Lane.SHORT:  # every job is there first
            STAGE_S.observe(max(0, (job.started_ms or 0) - job.created_ms) / 1000, Stage.QUEUE)
        if job.cut:  # by a delivery whose worker died before it could say so
            self._close(begun, job.audio_ms)
            return
        try:
            self._cut_upload(begun, lane)
        except BelongsInLongLane:
            self._broker.enqueue(segment_job(job.id, Lane.LONG))
        except UploadGone:
            # Another delivery of this message has cut it meanwhile, or the job has ended.
            now = self._store.job(job_id)
            if now is not None and not now.cut and not now.state.ended:
                raise JobError("the upload is no longer kept; send it again") from None

    def give_up(self, job_id: str, _lane: Lane, error: Exception) -> None:
        """Fail a job that cannot be cut."""
        if isinstance(error, DeliveriesExceeded):
            error = PoisonousAudio(f"the recording cannot be processed: {error}")
        elif isinstance(error, MemoryError):
            error = PoisonousAudio("the recording takes too much memory")
        elif not isinstance(error, JobError):
            error = JobError(f"the recording could not be cut: {error}")
        if self._store.fail(job_id, error):
            log.warning("job.ended", job=job_id, state=JobState.FAILED, reason=str(error))

    def count_unfinished(self) -> int:
        """How many of the jobs in hand will not be cut soon, so that it would be in vain to wait for them."""
        return len(self._abandoned | self._ahead)

    def upload_chunk(self, job_id: str, number: int) -> bytes | None:
        """A chunk of an upload that is being decoded; None when it is gone."""
        with self.watch.pause(job_id):
            return self._store.upload_chunk(job_id, number)

    def _abandon(self, job_id: str) -> None:
        """Fail a job whose decoder hangs; its message finds it ended when it comes back."""
        log.error("decoder.hangs", job=job_id, limit_s=DECODE_TIMEOUT_S)
        self._abandoned.add(job_id)
        try:
            self.give_up(
                job_id, Lane.LONG, PoisonousAudio("the recording cannot be decoded in reasonable time")
            )
        finally:
            self._be_replaced(f"a decoder was not done within {DECODE_TIMEOUT_S:.0f} s")

    def _cut_upload(self, begun: Begun, lane: Lane) -> None:
        job = begun.job
        upload = io.BufferedReader(UploadFile(self, job.id, job.upload_bytes, begun.head))
        with upload, contextlib.ExitStack() as opened:
            with self.watch.step(job.id):
                recording = opened.enter_context(open_recording(upload))
            claimed_ms = min(recording.claimed_ms, self._config.max_audio_s * 1000)
            if lane == Lane.LONG:  # a short one will soon have said it with its first segment
                self._store.progress(job.id, claimed_ms)
            log.debug("recording.opened", container=recording.container, claimed_ms=recording.claimed_ms)
            decoding, cutting = Stopwatch(), Stopwatch()
            chunks = decoding.over(self.watch.over(job.id, self._watched(job, recording, lane)))
            pieces = by_speech(chunks, self._vad.stream()) if job.options.vad else whole(chunks)
            if all(self._hand_over(job.id, piece, lane, claimed_ms) for piece in cutting.over(pieces)):
                STAGE_S.observe(decoding.total_s, Stage.DECODE)
                STAGE_S.observe(cutting.total_s - decoding.total_s, Stage.VAD)
                self._close(begun, recording.decoded_ms)

    def _watched(self, job: Job, recording: Recording, lane: Lane) -> Iterator[Pcm]:
        """The recording's chunks, for as long as it is where it belongs and within the limit."""
        limit_s = self._config.max_audio_s
        if recording.is_long and lane == Lane.SHORT:
            raise BelongsInLongLane
        for chunk in recording.chunks():
            if recording.is_long and lane == Lane.SHORT:
                raise BelongsInLongLane
            if recording.decoded_ms > limit_s * 1000:
                raise AudioTooLong(f"the recording is longer than ASR_MAX_AUDIO_S={limit_s}")
            if lane == Lane.LONG:
                with self.watch.pause(job.id):
                    self._store.progress(job.id)
            yield chunk

    def _hand_over(self, job_id: str, piece: Piece, lane: Lane, claimed_ms: int) -> bool:
        """Store a segment and enqueue its recognition; false when the job has ended meanwhile."""
        cut = piece.segment
        added = self._store.add_segment(job_id, cut, piece.samples, claimed_ms)
        log.debug("segment.cut", segment=cut.index, start_ms=cut.start_ms, end_ms=cut.end_ms)
        if added is None:
            return False
        waits, ahead_ms = added
        if waits:
            self._broker.enqueue(recognize_segment(job_id, cut.index, lane, cut.duration_ms))
        return self._wait_for_window(job_id, ahead_ms)

    def _wait_for_window(self, job_id: str, ahead_ms: int) -> bool:
        """Wait while the instances are too far behind; false when the job has ended meanwhile."""
        self._ahead.add(job_id)
        try:
            while self._is_far_ahead(ahead_ms):
                time.sleep(WINDOW_POLL_S)
                job = self._store.job(job_id)
                if job is None or job.state.ended:
                    return False
                ahead_ms = job.cut_ms - job.finished_ms
        finally:
            self._ahead.discard(job_id)
        return True

    def _is_far_ahead(self, ahead_ms: int) -> bool:
        if ahead_ms > self._config.window_s * 1000:
            return True
        # Never without anything in the instances' hands: only they make room on the spool.
        return ahead_ms > MIN_AHEAD_MS and self._store.spool_bytes() > self._config.max_spool_mb << 20

    def _close(self, begun: Begun, audio_ms: int) -> None:
        log.debug("job.cut", audio_ms=audio_ms)
        if cut := self._store.close_cut(begun, audio_ms):
            assemble(self._store, cut)


def load_vad() -> VoiceActivityDetector:
    """What cuts the recordings.

    Raises:
        StartupError: its weights are missing or damaged.
    """
    return VoiceActivityDetector.load(weights.verify("fsmn-vad"), threads=1)


def main(number: int) -> None:
    """Load the VAD and work until told to stop.

    Raises:
        StartupError: the VAD's weights are missing or damaged.
    """
    config = settings.load()
    name = WorkerName.of(config, WorkerKind.SEGMENTER, number)
    logs.configure(config, name.process)
    LifeSign().start()
    clock_follower.follow(config)
    stop = worker.stop_requested()
    client = patient(config)
    heartbeat = Heartbeat(WorkerRegistry(client), name, Device("cpu", None, threads=1), socket.gethostname())
    heartbeat.arrive()
    started = time.perf_counter()
    vad = load_vad()
    log.info("vad.loaded", took_s=round(time.perf_counter() - started, 3))
    bound_memory()
    broker = worker.create_broker(config, Slots(THREADS, LONG_THREADS))
    store = WorkStore(client, config.result_ttl_s, lambda ended: broker.enqueue(deliver_callback(ended)))

    def be_replaced(why: str) -> None:
        heartbeat.become(WorkerState.ERROR, reason=why)
        stop.set()

    segmenter = Segmenter(config, store, broker, vad, be_replaced)
    dramatiq.Actor(
        segmenter.segment,
        broker=broker,
        actor_name=SEGMENT,
        queue_name=queue(SEGMENT, Lane.SHORT),
        priority=0,
        options={"on_give_up": segmenter.give_up, "throws": JobError},
    )
    segmenter.watch.start()
    heartbeat.become(WorkerState.READY)
    with Flusher.of(config):
        worker.run(broker, SEGMENT, stop, segmenter.count_unfinished)
    heartbeat.stop()


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"segmenter-{sys.argv[1]} cannot start: {error}")
