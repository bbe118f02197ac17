"""Short recordings beside a long one."""

from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from tests.e2e.conftest import Service, checkout, started
from tests.e2e.job_client import SEGMENTS, hand_in, job_of
from tests.e2e.test_faults import await_that
from tests.media import wav

SHORT = wav(np.zeros(16_000))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances that take a second for each segment."""
    settings = {"ASR_MODEL": "tests.doubles.engines:SlowEngine", "ASR_INSTANCES": "2", "ASR_BATCH_ROWS": "1"}
    yield from started(checkout(tmp_path_factory.mktemp("express"), **settings))


def test_a_long_recording_leaves_an_instance_to_short_ones(two: Service) -> None:
    """The first instance takes none of its segments, and is idle for whoever comes."""
    with two.client() as client:
        long = hand_in(client).json()["id"]
        await_that(lambda: job_of(client, long)["segments"]["finished"] > 0)
        for _ in range(3):
            client.post("/asr_simple", files={"file": ("a.wav", SHORT)}).raise_for_status()
        assert job_of(client, long)["state"] == "running", "they have overtaken it"
        await_that(lambda: job_of(client, long)["state"] == "done")
        stats = client.get("/stats").json()["model_pool_stats"]["instances"]
        health = client.get("/health").json()["health_details"]

    assert [one["total_requests"] for one in stats] == [3, SEGMENTS]
    assert [psutil.Process(one["pid"]).nice() for one in health] == [0, 10]
