"""Checkouts of their own in which the service is started as a user starts it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from msgspec import Struct

ROOT = Path(__file__).resolve().parent.parent

#: What a checkout needs to run; weights and environment are those of this one.
PARTS = ("api", "actors", "monitoring", "deploy", "loadtest", "tests", "pyproject.toml")


class Service(Struct, frozen=True):
    """A checkout, and how to run things in it."""

    home: Path
    env: dict[str, str]
    #: What every command is run through, such as `ip netns exec NAME`.
    through: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{self.env.get('ASR_HOST', '127.0.0.1')}:{self.env['ASR_PORT']}"

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `python -m …` in the checkout."""
        return subprocess.run(
            [*self.through, sys.executable, "-m", *command],
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
