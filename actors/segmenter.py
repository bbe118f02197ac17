"""A segmenter: decodes uploads, cuts them into segments, and hands those to the instances.

Run as `python -m actors.segmenter NUMBER`.
"""

import io
import sys
import time
from collections.abc import Iterator
from typing import Final

import dramatiq
import structlog

from actors import logs, settings, weights, worker
from actors.assemble import assemble
from actors.audio.recording import Recording, open_recording
from actors.audio.resample import Pcm
from actors.audio.segments import Piece, by_speech, whole
from actors.audio.vad import VoiceActivityDetector
from actors.devices import Device
from actors.errors import AudioTooLong, JobError, PoisonousAudio, StartupError
from actors.heartbeat import Heartbeat
from actors.queue.broker import DoorbellBroker
from actors.queue.delivery_limit import DeliveriesExceeded
from actors.queue.messages import SEGMENT, queue, recognize_segment, segment_job
from actors.queue.slots import Slots
from actors.records import Job, Lane, WorkerState
from actors.results import SegmentResults
from actors.store.connection import patient
from actors.store.uploads import UploadFile
from actors.store.work import WorkStore
from actors.store.workers import WorkerRegistry

#: Recordings cut at the same time by one process, and how many of them may be long.
THREADS: Final = 4
LONG_THREADS: Final = 2

#: Pause before a segmenter that is `ASR_WINDOW_S` ahead looks again.
WINDOW_POLL_S: Final = 0.1

log = structlog.stdlib.get_logger()


class Segmenter:
    """Cuts jobs into segments."""

    def __init__(
        self,
        config: settings.Settings,
        store: WorkStore,
        results: SegmentResults,
        broker: DoorbellBroker,
        vad: VoiceActivityDetector,
    ) -> None:
        self._config = config
        self._store = store
        self._results = results
        self._broker = broker
        self._vad = vad

    def segment(self, job_id: str, lane: Lane) -> None:
        """Cut a job's upload; hands over each segment as soon as it closes.

        Raises:
            JobError: the job cannot succeed, whoever tries.
        """
        job = self._store.begin(job_id)
        if job is None:
            return
        if job.cut:  # by a delivery whose worker died before it could say so
            self._close(job, job.audio_ms)
            return
        upload = io.BufferedReader(UploadFile(self._store, job.id, job.upload_bytes))
        with upload, open_recording(upload) as recording:
            if recording.is_long and lane == Lane.SHORT:
                self._broker.enqueue(segment_job(job.id, Lane.LONG))
                return
            if self._hand_over(job, recording):
                self._close(job, recording.decoded_ms)

    def give_up(self, job_id: str, _lane: Lane, error: Exception) -> None:
        """Fail a job that cannot be cut."""
        if isinstance(error, DeliveriesExceeded):
            error = PoisonousAudio(f"the recording cannot be processed: {error}")
        elif not isinstance(error, JobError):
            error = JobError(f"the recording could not be cut: {error}")
        log.warning("job.failed", job=job_id, reason=str(error))
        self._store.fail(job_id, error)

    def _hand_over(self, job: Job, recording: Recording) -> bool:
        """Store each segment and enqueue its recognition; false when the job has ended meanwhile."""
        for piece in self._cut(job, recording):
            added = self._store.add_segment(job.id, piece.segment, piece.samples)
            if added is None:
                return False
            waits, ahead_ms = added
            if waits:
                lane = Lane.LONG if recording.is_long else Lane.SHORT
                self._broker.enqueue(recognize_segment(job.id, piece.segment.index, lane))
            if not self._wait_for_window(job.id, ahead_ms):
                return False
        return True

    def _cut(self, job: Job, recording: Recording) -> Iterator[Piece]:
        chunks = self._no_longer_than_allowed(recording)
        return by_speech(chunks, self._vad.stream()) if job.options.vad else whole(chunks)

    def _no_longer_than_allowed(self, recording: Recording) -> Iterator[Pcm]:
        limit_s = self._config.max_audio_s
        for chunk in recording.chunks():
            if recording.decoded_ms > limit_s * 1000:
                raise AudioTooLong(f"the recording is longer than ASR_MAX_AUDIO_S={limit_s}")
            yield chunk

    def _wait_for_window(self, job_id: str, ahead_ms: int) -> bool:
        """Stay at most `ASR_WINDOW_S` ahead of the instances; false when the job has ended meanwhile."""
        while ahead_ms > self._config.window_s * 1000:
            time.sleep(WINDOW_POLL_S)
            job = self._store.job(job_id)
            if job is None or job.state.ended:
                return False
            ahead_ms = job.cut_ms - job.finished_ms
        return True

    def _close(self, job: Job, audio_ms: int) -> None:
        if self._store.close_cut(job, audio_ms):
            assemble(self._store, self._results, job.id)


def main(number: int) -> None:
    """Load the VAD and work until told to stop.

    Raises:
        StartupError: the VAD's weights are missing or damaged.
    """
    config = settings.load()
    logs.configure(config, f"segmenter-{number}")
    stop = worker.stop_requested()
    client = patient(config)
    heartbeat = Heartbeat(WorkerRegistry(client), f"segmenter-{number}", Device("cpu", None, threads=1))
    heartbeat.arrive()
    started = time.perf_counter()
    vad = VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)
    log.info("vad.loaded", took_s=round(time.perf_counter() - started, 3))
    broker = worker.create_broker(config, Slots(THREADS, LONG_THREADS))
    store = WorkStore(client, config.result_ttl_s)
    segmenter = Segmenter(config, store, SegmentResults(client, config.result_ttl_s), broker, vad)
    dramatiq.Actor(
        segmenter.segment,
        broker=broker,
        actor_name=SEGMENT,
        queue_name=queue(SEGMENT, Lane.SHORT),
        priority=0,
        options={"on_give_up": segmenter.give_up, "throws": JobError},
    )
    heartbeat.become(WorkerState.READY)
    worker.run(broker, SEGMENT, stop)
    heartbeat.stop()


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"segmenter-{sys.argv[1]} cannot start: {error}")
