"""A segmenter: decodes uploads, cuts them into segments, and hands those to the instances.

Run as `python -m actors.segmenter NUMBER`.
"""

import io
import sys
import time
from typing import Final

import dramatiq
import structlog

from actors import logs, settings, weights, worker
from actors.assemble import assemble
from actors.audio.decode import Recording
from actors.audio.segments import Pieces, by_speech, whole
from actors.audio.vad import VoiceActivityDetector
from actors.errors import AudioTooLong, JobError, StartupError, UnreadableAudio
from actors.queue.broker import DoorbellBroker
from actors.queue.messages import SEGMENT, queue, recognize_segment, segment_job
from actors.queue.slots import Slots
from actors.records import SHORT_RECORDING_MS, Job, Lane
from actors.results import SegmentResults
from actors.store.connection import patient
from actors.store.uploads import UploadFile
from actors.store.work import WorkStore

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
        with upload, Recording.open(upload) as recording:
            known_long = (recording.duration_ms or 0) > SHORT_RECORDING_MS
            if known_long and lane == Lane.SHORT:
                self._broker.enqueue(segment_job(job.id, Lane.LONG))
                return
            self._check_length(recording.duration_ms or 0)
            pieces = (
                by_speech(recording.chunks(), self._vad.stream())
                if job.options.vad
                else whole(recording.chunks())
            )
            if self._hand_over(job, pieces, known_long=known_long):
                self._close(job, pieces.audio_ms)

    def give_up(self, job_id: str, _lane: Lane, error: Exception) -> None:
        """Fail a job that cannot be cut."""
        if not isinstance(error, JobError):
            error = UnreadableAudio(f"the recording could not be processed: {error}")
        log.warning("job.failed", job=job_id, reason=str(error))
        self._store.fail(job_id, error)

    def _hand_over(self, job: Job, pieces: Pieces, *, known_long: bool) -> bool:
        """Store each piece and enqueue its recognition; false when the job has ended meanwhile."""
        for piece in pieces:
            segment = piece.segment
            self._check_length(segment.end_ms)
            added = self._store.add_segment(job.id, segment, piece.samples)
            if added is None:
                return False
            waits, ahead_ms = added
            if waits:
                long = known_long or segment.end_ms > SHORT_RECORDING_MS
                self._broker.enqueue(
                    recognize_segment(job.id, segment.index, Lane.LONG if long else Lane.SHORT)
                )
            if not self._wait_for_window(job.id, ahead_ms):
                return False
        self._check_length(pieces.audio_ms)
        return True

    def _wait_for_window(self, job_id: str, ahead_ms: int) -> bool:
        """Stay at most `ASR_WINDOW_S` ahead of the instances; false when the job has ended meanwhile."""
        while ahead_ms > self._config.window_s * 1000:
            time.sleep(WINDOW_POLL_S)
            job = self._store.job(job_id)
            if job is None or job.state.ended:
                return False
            ahead_ms = job.cut_ms - job.finished_ms
        return True

    def _check_length(self, audio_ms: int) -> None:
        if audio_ms > self._config.max_audio_s * 1000:
            raise AudioTooLong(f"the recording is longer than ASR_MAX_AUDIO_S={self._config.max_audio_s}")

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
    started = time.perf_counter()
    vad = VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)
    log.info("vad.loaded", took_s=round(time.perf_counter() - started, 3))
    client = patient(config)
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
    worker.run(broker, SEGMENT, stop)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"segmenter-{sys.argv[1]} cannot start: {error}")
