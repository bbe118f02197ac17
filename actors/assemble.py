"""From finished segments to a transcript."""

import time

import structlog

from actors.clock import now_ms
from actors.errors import JobError, PoisonousAudio
from actors.metrics import STAGE_S, Stage
from actors.queue.delivery_limit import POISONOUS
from actors.records import JobState, Line, Stats, Transcript
from actors.store.cut_job import CutJob
from actors.store.work import WorkStore

log = structlog.stdlib.get_logger()


def assemble(store: WorkStore, cut: CutJob) -> None:
    """End a job whose segments are all finished; doing it twice changes nothing."""
    started = time.perf_counter()
    job, lines = cut.job, cut.lines
    stats = count(lines)
    log.debug("job.assembled", job=job.id, segments=len(lines))
    failure = _failure(lines) if stats.total_segments and not stats.successful_segments else None
    if failure:
        ended = store.fail(job.id, failure)
    else:
        ended = store.complete(job.id, Transcript(lines=lines, stats=stats, audio_ms=job.audio_ms))
    if ended:
        STAGE_S.observe(time.perf_counter() - started, Stage.ASSEMBLE)
        log.info(
            "job.ended",
            job=job.id,
            state=JobState.DONE if failure is None else JobState.FAILED,
            audio_ms=job.audio_ms,
            segments=len(lines),
            failed=stats.failed_segments,
            took_ms=now_ms() - job.created_ms,
        )


def count(lines: tuple[Line, ...]) -> Stats:
    """How the segments fared."""
    failed = sum(line.utterance is None for line in lines)
    total = len(lines)
    return Stats(
        total_segments=total,
        successful_segments=total - failed,
        failed_segments=failed,
        success_rate=(total - failed) / total if total else 1.0,
    )


def _failure(lines: tuple[Line, ...]) -> JobError:
    message = f"no segment could be recognised: {lines[0].error}"
    poisonous = all(line.error == POISONOUS for line in lines)
    return PoisonousAudio(message) if poisonous else JobError(message)
