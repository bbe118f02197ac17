"""The service as a user runs it: started by the recipes' own code, from a checkout of its own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.checkouts import Service, checkout, free_port, started

__all__ = ["Service", "checkout", "free_port", "started"]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Five instances of the embedded model."""
    home = tmp_path_factory.mktemp("service")
    yield from started(
        checkout(home, ASR_MODEL="whisper-base", ASR_MAX_UPLOAD_MB="4", ASR_REQUEST_TIMEOUT_S="60")
    )


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    """A client of the running service."""
    with service.client() as client:
        yield client


@pytest.fixture(scope="session")
def sensevoice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances of the small SenseVoice."""
    home = tmp_path_factory.mktemp("sensevoice")
    yield from started(checkout(home, ASR_MODEL="tests/sensevoice/model", ASR_INSTANCES="2"))


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Service]:
    """One instance that takes a second for each segment, on a Redis that the tests can look into."""
    settings = {"ASR_MODEL": "tests.doubles.engines:SlowEngine", "ASR_INSTANCES": "1", "ASR_BATCH_ROWS": "1"}
    own = redis_url.removesuffix("/0") + "/4"
    yield from started(checkout(tmp_path_factory.mktemp("slow"), **settings, ASR_REDIS_URL=own))


@pytest.fixture
def api(slow: Service) -> Iterator[httpx.Client]:
    """A client of the slow service, whose jobs are cancelled afterwards."""
    with slow.client() as client:
        yield client
        for state in ("queued", "running"):
            for job in client.get("/jobs", params={"state": state, "limit": 100}).json()["jobs"]:
                client.delete(f"/jobs/{job['id']}")
