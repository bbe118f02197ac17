"""The service as a user runs it: started by the recipes' own code, from a checkout of its own."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]

#: What a checkout needs to run; weights and environment are those of this one.
PARTS = ("api", "actors", "monitoring", "deploy", "loadtest", "tests", "pyproject.toml")


class Service(Struct, frozen=True):
    """A checkout, and how to run things in it."""

    home: Path
    env: dict[str, str]

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.env['ASR_PORT']}"

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `python -m …` in the checkout."""
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.home,
            env=self.env | (env or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def client(self, timeout_s: float = 120) -> httpx.Client:
        """A client of the API."""
        return httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False)


def checkout(home: Path, **settings: str) -> Service:
    """A second checkout with these settings and a port of its own."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, home / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, home)
    (home / ".venv").symlink_to(ROOT / ".venv")
    (home / ".quintet").mkdir()
    (home / ".quintet" / "weights").symlink_to(ROOT / ".quintet" / "weights")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASR_")}
    return Service(home, inherited | {"ASR_PORT": str(free_port())} | settings)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def started(service: Service) -> Iterator[Service]:
    """Start the service, and stop it afterwards."""
    done = service.run("deploy.service", "start")
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        yield service
    finally:
        stopped = service.run("deploy.service", "stop")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr


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
