"""How much memory of Redis jobs take: what docs/redis.md says to size it by (`-s` shows the figures)."""

from collections.abc import AsyncIterator

import pytest
import redis

from actors.records import Line, Segment, Stats, Transcript, Utterance, Word
from actors.settings import Settings
from actors.store.connection import prompt
from actors.store.jobs import JobStore
from actors.store.limits import Limits
from actors.store.work import WorkStore
from tests.integration.test_store import chunks_of, new_job

LIMITS = Limits(spool_bytes=1 << 40, backlog_ms=1 << 40)

#: An hour of speech: 600 segments of 6 s with 15 words each.
WORDS = tuple(Word(text="recorded", start_ms=n * 400, end_ms=n * 400 + 350) for n in range(15))
LINES = tuple(
    Line(
        segment=Segment(n, n * 6_000, n * 6_000 + 5_500),
        utterance=Utterance(
            text=" ".join(word.text for word in WORDS),
            language="en",
            instance="instance-1",
            took_ms=100.0,
            words=WORDS,
        ),
    )
    for n in range(600)
)
STATS = Stats(total_segments=600, successful_segments=600, failed_segments=0, success_rate=1.0)


@pytest.fixture
async def jobs(config: Settings) -> AsyncIterator[JobStore]:
    """The store as the API uses it."""
    async with prompt(config) as connected:
        yield JobStore(connected, result_ttl_s=3600, limits=LIMITS)


def used_bytes(client: redis.Redis) -> int:
    """What the data take."""
    return int(client.info("memory")["used_memory_dataset"])


@pytest.mark.parametrize(("upload_bytes", "number"), [(5_000, 500), (1_920_000, 20), (20 << 20, 5)])
async def test_what_waits_takes_its_bytes(
    jobs: JobStore, client: redis.Redis, upload_bytes: int, number: int
) -> None:
    """An upload that waits for a segmenter takes hardly more than itself, and some kilobytes a job."""
    before = used_bytes(client)
    for n in range(number):
        await jobs.admit(new_job(upload_bytes, f"j{n}"), chunks_of(bytes(upload_bytes)))
        await jobs.keep(f"j{n}")

    each = (used_bytes(client) - before) / number
    print(f"{upload_bytes} bytes uploaded take {each:.0f}")  # noqa: T201 - figures for the page
    assert upload_bytes < each < 1.3 * upload_bytes + 8_000


@pytest.mark.parametrize(("segments", "number"), [(1, 500), (10, 200), (600, 20)])
async def test_what_is_kept(jobs: JobStore, client: redis.Redis, segments: int, number: int) -> None:
    """A result takes some kilobytes, and an hour of speech with the times of its words a megabyte at most."""
    work = WorkStore(client, 3600)
    transcript = Transcript(lines=LINES[:segments], stats=STATS, audio_ms=segments * 6_000)
    before = used_bytes(client)
    for n in range(number):
        await jobs.admit(new_job(5_000, f"j{n}"), chunks_of(bytes(5_000)))
        await jobs.keep(f"j{n}")
        work.begin(f"j{n}")
        assert work.complete(f"j{n}", transcript)

    each = (used_bytes(client) - before) / number
    print(f"{segments} segments kept take {each:.0f} bytes")  # noqa: T201 - figures for the page
    assert each < 8_000 + 1_700 * segments
