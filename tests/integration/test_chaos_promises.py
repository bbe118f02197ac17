"""What the trial by faults takes for a broken promise."""

from pathlib import Path

import pytest
import redis

from actors.settings import Settings
from actors.store.connection import broker_url, jobs_url
from actors.store.log_stream import append
from tests.chaos import promises
from tests.chaos.ledger import Event, Outcome, late_refusals

ENDED = '{"event":"job.ended","job":"%s","timestamp":"%s"}'


class Inside:
    """A target whose Redis is that of the tests."""

    def __init__(self, config: Settings, state: Path) -> None:
        self.state = state
        self._config = config

    def jobs(self) -> redis.Redis:
        """The database of the jobs."""
        return redis.Redis.from_url(jobs_url(self._config), decode_responses=True)

    def queues(self) -> redis.Redis:
        """The database of the queues."""
        return redis.Redis.from_url(broker_url(self._config), decode_responses=True)


@pytest.fixture
def inside(config: Settings, tmp_path: Path) -> Inside:
    """Nothing is in it yet."""
    (tmp_path / "logs").mkdir()
    return Inside(config, tmp_path)


def test_what_an_ended_job_leaves_is_no_leak(inside: Inside) -> None:
    """Its record and its transcript are kept, and counters that are at zero."""
    with inside.jobs() as jobs, inside.queues() as queues:
        jobs.hset("asr:job:1", "state", "done")
        jobs.set("asr:job:1:transcript", "{}")
        jobs.hset("asr:spool", "total", 0)
        queues.rpush("dramatiq:segment-short.bell", "")

    assert promises.leaked_keys(inside) == []


def test_what_a_job_should_have_taken_along_is(inside: Inside) -> None:
    """Audio, places in sets, bytes on the spool, and messages."""
    with inside.jobs() as jobs, inside.queues() as queues:
        jobs.hset("asr:job:1:audio", "0", "pcm")
        jobs.zadd("asr:running", {"1": 1})
        jobs.hset("asr:spool", mapping={"total": 3, "1": 3})
        queues.hset("dramatiq:segment-short.msgs", "1", "message")

    assert sorted(promises.leaked_keys(inside)) == [
        "asr:job:1:audio",
        "asr:running",
        "asr:spool",
        "dramatiq:segment-short.msgs",
    ]


def test_an_end_that_is_logged_in_two_places_is_one_end(inside: Inside) -> None:
    """The file of a process and the stream have the same events; two ends have different times."""
    (inside.state / "logs" / "instance-1.log").write_text(f"{ENDED % ('a', '1')}\n{ENDED % ('b', '1')}\n")
    with inside.jobs() as jobs:
        append(jobs, [ENDED % ("a", "1"), ENDED % ("b", "2")])

    assert promises.ended_twice(inside) == ["b"]


def test_only_uploads_are_refused_late() -> None:
    """What a user waits for who asks how a job stands is another matter, and so is an answer."""
    took = [
        Event(outcome=outcome, upload=upload, began_s=0, took_s=took_s)
        for outcome, upload, took_s in (
            (Outcome.REFUSED, True, 0.9),
            (Outcome.REFUSED, True, 1.1),
            (Outcome.REFUSED, False, 2.0),
            (Outcome.ANSWERED, True, 3.0),
        )
    ]

    assert late_refusals(took, 1.0) == [1.1]
