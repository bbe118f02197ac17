"""What a segmenter does with its jobs: lanes, second deliveries, limits."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any, Never

import numpy as np
import pytest
import redis
from dramatiq import Message

import actors.segmenter
from actors import weights
from actors.audio.vad import VoiceActivityDetector
from actors.errors import AudioTooLong, JobError, UnreadableAudio
from actors.hang_watch import HangWatch
from actors.queue.broker import DoorbellBroker
from actors.records import JobState, Lane
from actors.segmenter import Segmenter
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import prompt
from actors.store.ending import Ending
from actors.store.jobs import JobStore
from actors.store.work import Begun, WorkStore
from loadtest.corpus.clips import clips, samples_of
from loadtest.corpus.encoding import encode
from tests.integration.test_store import LIMITS, chunks_of, new_job

SPEECH = encode(samples_of(clips("en")[2].audio), "flac", "flac", rate_hz=16_000)
LONG = encode(np.zeros(61 * 16_000, np.int16), "flac", "flac", rate_hz=16_000)


class Recorded(DoorbellBroker):
    """Remembers what is enqueued, in place of a queue that nobody serves."""

    def __init__(self) -> None:
        self.sent: list[Message[Any]] = []

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:  # noqa: ARG002
        """Remember it."""
        self.sent.append(message)
        return message


@pytest.fixture(scope="module")
def vad() -> VoiceActivityDetector:
    """The real one."""
    return VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)


@pytest.fixture
async def jobs(config: Settings) -> AsyncIterator[JobStore]:
    """The store as the API uses it."""
    async with prompt(config) as connected:
        yield JobStore(connected, result_ttl_s=60, limits=LIMITS)


@pytest.fixture
def broker() -> Recorded:
    """What the segmenter sends."""
    return Recorded()


@pytest.fixture
def segmenter(
    config: Settings, client: redis.Redis, broker: Recorded, vad: VoiceActivityDetector
) -> Segmenter:
    """A segmenter on the real store."""
    return Segmenter(config, WorkStore(client, 60), broker, vad, be_replaced=lambda _: None)


async def test_speech_is_handed_over(jobs: JobStore, segmenter: Segmenter, broker: Recorded) -> None:
    """One utterance becomes one segment in the short lane, and the job is cut."""
    await jobs.admit(new_job(len(SPEECH)), chunks_of(SPEECH))

    segmenter.segment("j1", Lane.SHORT)

    job = await jobs.get("j1")
    assert job is not None
    assert (job.state, job.cut, job.segments) == (JobState.RUNNING, True, 1)
    assert [(message.queue_name, message.args) for message in broker.sent] == [("recognize-short", ("j1", 0))]


async def test_a_long_recording_changes_lanes(jobs: JobStore, segmenter: Segmenter, broker: Recorded) -> None:
    """It leaves the short lane before it is cut."""
    await jobs.admit(new_job(len(LONG)), chunks_of(LONG))

    segmenter.segment("j1", Lane.SHORT)

    assert [(message.queue_name, message.args) for message in broker.sent] == [
        ("segment-long", ("j1", Lane.LONG))
    ]


async def test_a_long_recording_of_unknown_length_changes_lanes(
    jobs: JobStore, segmenter: Segmenter, broker: Recorded
) -> None:
    """A file that was streamed does not say how long it is; once it turns out to be long, it goes."""
    noise = np.random.default_rng(1).integers(-99, 99, 61 * 16_000).astype(np.int16)
    streamed = bytearray(encode(noise, "flac", "flac", rate_hz=16_000))
    streamed[21] &= 0xF0  # the number of samples in the header: unknown
    streamed[22:26] = bytes(4)
    await jobs.admit(new_job(len(streamed)), chunks_of(bytes(streamed)))

    segmenter.segment("j1", Lane.SHORT)

    assert [message.queue_name for message in broker.sent][-1:] == ["segment-long"]


async def test_a_second_delivery_behind_the_first(
    jobs: JobStore, segmenter: Segmenter, client: redis.Redis
) -> None:
    """It finds the upload gone, because the first one is done with it, and leaves the job alone."""
    await jobs.admit(new_job(len(SPEECH)), chunks_of(SPEECH))
    work = WorkStore(client, 60)
    begun = work.begin("j1")
    assert begun is not None
    client.delete(keys.JobKeys.of("j1").upload)
    with pytest.raises(JobError, match="no longer kept"):
        segmenter.segment("j1", Lane.SHORT)
    client.hset(keys.JobKeys.of("j1").upload, "0", SPEECH)

    def cut_meanwhile(job_id: str) -> Begun | None:
        assert job_id == "j1"
        work.close_cut(begun, 1)
        return Begun(begun.job, begun.server, None)

    segmenter._store.begin = cut_meanwhile  # type: ignore[method-assign]
    segmenter.segment("j1", Lane.SHORT)

    job = await jobs.get("j1")
    assert job is not None
    assert job.state is JobState.RUNNING


async def test_too_long(jobs: JobStore, segmenter: Segmenter, config: Settings) -> None:
    """The limit ends the job, with the HTTP status that says so."""
    segmenter._config = Settings(redis_url=config.redis_url, max_audio_s=60)
    await jobs.admit(new_job(len(LONG)), chunks_of(LONG))

    with pytest.raises(AudioTooLong):
        segmenter.segment("j1", Lane.LONG)

    segmenter.give_up("j1", Lane.LONG, AudioTooLong("too long"))
    job = await jobs.get("j1")
    assert job is not None
    assert (job.state, job.error_status) == (JobState.FAILED, 413)


async def test_cancelled_while_it_is_cut(
    jobs: JobStore, segmenter: Segmenter, broker: Recorded, client: redis.Redis
) -> None:
    """The segmenter sends nothing, and leaves nothing behind."""
    await jobs.admit(new_job(len(SPEECH)), chunks_of(SPEECH))
    original = segmenter._store.begin

    def cancelled_meanwhile(job_id: str) -> Begun | None:
        begun = original(job_id)
        segmenter._store._end(Ending(job_id, JobState.CANCELLED))
        return begun

    segmenter._store.begin = cancelled_meanwhile  # type: ignore[method-assign]
    segmenter.segment("j1", Lane.SHORT)

    job = await jobs.get("j1")
    assert job is not None
    assert job.state is JobState.CANCELLED
    assert broker.sent == []
    assert client.keys("asr:job:*") == [b"asr:job:j1"]


async def test_decoder_that_hangs(
    jobs: JobStore, segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job is rejected meanwhile, and the segmenter asks to be replaced, as its thread is lost."""
    replaced, goes_on = threading.Event(), threading.Event()

    def hang(_: object) -> Never:
        goes_on.wait(60)
        raise UnreadableAudio("at last")

    def cut() -> None:
        with contextlib.suppress(UnreadableAudio):
            segmenter.segment("j1", Lane.SHORT)

    monkeypatch.setattr(actors.segmenter, "open_recording", hang)
    segmenter._be_replaced = lambda _: replaced.set()
    segmenter.watch = HangWatch(0.05, segmenter._abandon, tick_s=0.01)
    segmenter.watch.start()
    await jobs.admit(new_job(len(SPEECH)), chunks_of(SPEECH))
    thread = threading.Thread(target=cut)
    thread.start()

    assert await asyncio.to_thread(replaced.wait, 60)

    job = await jobs.get("j1")
    assert job is not None
    assert (job.state, job.error_status, segmenter.count_unfinished()) == (JobState.FAILED, 422, 1)
    goes_on.set()
    thread.join()
