"""The recipes tolerate one another."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from deploy import leftovers
from tests.e2e.conftest import Service, checkout
from tests.media import wav


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Service]:
    """A service of one instance that answers at once, not started yet; stopped in any case."""
    home = tmp_path / "one"
    service = checkout(home, ASR_MODEL="tests.doubles.engines:InstantEngine", ASR_INSTANCES="1")
    yield service
    service.run("deploy.service", "stop")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Service]:
    """The same with an instance that takes a second for each segment."""
    settings = {"ASR_MODEL": "tests.doubles.engines:SlowEngine", "ASR_INSTANCES": "1", "ASR_BATCH_ROWS": "1"}
    service = checkout(tmp_path / "slow", **settings)
    yield service
    service.run("deploy.service", "stop")


def test_asked_while_it_stops(one: Service) -> None:
    """`status` and `start` say that it is stopping; a second `stop` waits for the first."""
    assert one.run("deploy.service", "start").returncode == 0
    with ThreadPoolExecutor(1) as other:
        first = other.submit(one.run, "deploy.service", "stop")
        said = []
        while not first.done():
            said.append(one.run("deploy.service", "status"))
        second = one.run("deploy.service", "stop")

    assert first.result().returncode == second.returncode == 0
    assert any("is stopping" in asked.stderr for asked in said)
    assert not any("Traceback" in asked.stderr for asked in (first.result(), second, *said))
    assert leftovers.find(one.home) == []


def test_start_after_the_supervisor_was_killed(one: Service) -> None:
    """What it left is ended in order, so that no request fails that could have been answered."""
    assert one.run("deploy.service", "start").returncode == 0
    (supervisord,) = [
        process for process in leftovers.find(one.home) if "supervisor.supervisord" in process.cmdline()
    ]
    os.kill(supervisord.pid, signal.SIGKILL)
    psutil.wait_procs([supervisord], timeout=10)
    statuses: list[int] = []
    file = wav(np.zeros(16_000))

    def ask_until_it_is_gone() -> None:
        with one.client() as client:
            try:
                while True:
                    statuses.append(client.post("/asr_simple", files={"file": ("a.wav", file)}).status_code)
            except httpx.HTTPError:
                return

    with ThreadPoolExecutor(1) as other:
        asking = other.submit(ask_until_it_is_gone)
        time.sleep(1)
        again = one.run("deploy.service", "start")
        asking.result()
    stopped = one.run("deploy.service", "stop")

    assert (again.returncode, stopped.returncode) == (0, 0), again.stderr
    assert set(statuses) == {200}


def test_a_request_that_outlasts_a_stop(slow: Service) -> None:
    """It is told that the service restarts and which job goes on, and so that one does."""
    assert slow.run("deploy.service", "start").returncode == 0
    long = wav(np.zeros(45 * 30 * 16_000))  # 45 segments, each a second's work
    with slow.client() as client, ThreadPoolExecutor(1) as other:
        asked = other.submit(client.post, "/asr_simple", files={"file": ("a.wav", long)})
        while not client.get("/stats").json()["running"]:
            time.sleep(0.1)
        again = slow.run("deploy.service", "restart")
        told = asked.result()
        job = told.json()["msg"].rpartition("/")[2]
        followed = client.get(f"/jobs/{job}").json()
        cancelled = client.delete(f"/jobs/{job}")
    stopped = slow.run("deploy.service", "stop")

    assert (again.returncode, stopped.returncode) == (0, 0), again.stderr
    assert (told.status_code, told.json()["code"]) == (503, 503)
    assert int(told.headers["retry-after"]) > 0
    assert followed["state"] == "running"
    assert cancelled.status_code == 204
