"""Whatever process is killed under load, every accepted job ends right, and the process comes back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service

CLIPS = clips("en", "zh")

#: The killed process is to be back, with everything healthy, within this time.
BACK_WITHIN_S = 30


def pid_of(service: Service, name: str) -> int:
    """The process that supervisord runs under this name; 0 while there is none."""
    code = "from deploy.supervisor import Control\nfor p in Control().processes(): print(p.name, p.pid)"
    asked = subprocess.run(
        [sys.executable, "-c", code], cwd=service.home, capture_output=True, text=True, check=True
    )
    return int(dict(line.split() for line in asked.stdout.splitlines())[name])


@pytest.mark.parametrize("victim", ["instance-3", "segmenter-1", "api", "redis"])
def test_kill(service: Service, http: httpx.Client, victim: str) -> None:
    """SIGKILL in the middle of a load: no wrong text, nothing lost but connections to a killed API."""
    files = [(encoded(clip.audio, "wav"), clip.language) for clip in CLIPS]
    alone = [transcribe(http, file, language) for file, language in files]
    old_pid = pid_of(service, victim)

    def client_of_four(number: int) -> list[bool]:
        with service.client() as client:
            return [
                answered(client, *files[(number + step) % len(files)]) == alone[(number + step) % len(files)]
                for step in range(4)
            ]

    def answered(client: httpx.Client, file: bytes, language: str) -> str:
        while True:
            try:
                return transcribe(client, file, language)
            except httpx.TransportError:
                assert victim == "api", "only a killed API may drop connections"
            except Unavailable:
                assert victim == "redis", "only without Redis may uploads be refused"
            time.sleep(0.5)

    with ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(client_of_four, number) for number in range(8)]
        time.sleep(1.5)
        os.kill(old_pid, signal.SIGKILL)
        killed_at = time.monotonic()
        await_that(lambda: healthy(http) and pid_of(service, victim) not in {0, old_pid})
        assert time.monotonic() - killed_at < BACK_WITHIN_S
        assert all(all(answer.result()) for answer in answers)


class Unavailable(Exception):
    """The service asks to come again later."""


def transcribe(http: httpx.Client, file: bytes, language: str) -> str:
    """The subtitles of a file."""
    answer = http.post("/asr", files={"file": ("a.wav", file)}, data={"lang": language})
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) > 0
        raise Unavailable
    assert answer.status_code == 200, answer.text
    data: str = answer.json()["data"]
    return data


def healthy(http: httpx.Client) -> bool:
    """Whether every instance is."""
    try:
        status: str = http.get("/health").json()["status"]
    except (httpx.TransportError, ValueError):
        return False
    return status == "healthy"


def await_that(happened: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait for something the service does."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
