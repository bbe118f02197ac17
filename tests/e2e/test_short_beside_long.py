"""Short recordings beside a long one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import psutil
import pytest

from tests.e2e.conftest import Service, checkout, started
from tests.e2e.job_client import SEGMENTS, hand_in, job_of
from tests.e2e.test_faults import await_that
from tests.media import wav

SHORT = wav(np.zeros(16_000))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Three instances that take a second for each segment."""
    settings = {"ASR_MODEL": "tests.doubles.engines:SlowEngine", "ASR_INSTANCES": "3", "ASR_BATCH_ROWS": "1"}
    yield from started(checkout(tmp_path_factory.mktemp("express"), **settings))


def test_a_long_recording_leaves_an_instance_to_short_ones(three: Service) -> None:
    """The first instance takes none of its segments, and is idle for whoever comes."""
    with three.client() as client:
        before = requests_of(client)
        long = hand_in(client).json()["id"]
        await_that(lambda: job_of(client, long)["segments"]["finished"] > 0)
        for _ in range(3):
            client.post("/asr_simple", files={"file": ("a.wav", SHORT)}).raise_for_status()
        assert job_of(client, long)["state"] == "running", "they have overtaken it"
        await_that(lambda: job_of(client, long)["state"] == "done")
        after = requests_of(client)
        health = client.get("/health").json()["health_details"]

    first, *others = [now - then for now, then in zip(after, before, strict=True)]
    assert (first, sum(others)) == (3, SEGMENTS)
    assert [psutil.Process(one["pid"]).nice() for one in health] == [0, 10, 10]


def test_many_short_recordings_find_help(three: Service) -> None:
    """What the first instance has no hands for, the others take, though a long recording waits."""
    with three.client() as client, ThreadPoolExecutor(12) as threads:
        before = requests_of(client)
        long = hand_in(client).json()["id"]
        await_that(lambda: job_of(client, long)["segments"]["finished"] > 0)
        upload = {"file": ("a.wav", SHORT)}
        answers = list(threads.map(lambda _: client.post("/asr_simple", files=upload), range(12)))
        await_that(lambda: job_of(client, long)["state"] == "done")
        after = requests_of(client)

    assert [answer.status_code for answer in answers] == [200] * 12
    assert sum(after[1:]) - sum(before[1:]) > SEGMENTS


def requests_of(client: httpx.Client) -> list[int]:
    """How many segments each instance has tried."""
    stats = client.get("/stats").json()["model_pool_stats"]["instances"]
    return [one["total_requests"] for one in stats]
