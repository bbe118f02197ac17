"""The health check of a container."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.life_sign import CONTAINER_FILE
from deploy import alive
from deploy.alive import Sign, is_silent, read
from tests.checkouts import ROOT

#: A process that shows life, and is ready once a line comes.
PROCESS = """\
import sys
from actors.life_sign import LifeSign, say_ready
LifeSign().start()
print("begun", flush=True)
sys.stdin.readline()
say_ready()
print("ready", flush=True)
sys.stdin.readline()
"""


class Process:
    """Such a process, and its health check."""

    def __init__(self, sign: Path, hang_timeout_s: int = 60) -> None:
        self.sign = sign
        self._env = os.environ | {CONTAINER_FILE: str(sign), "ASR_HANG_TIMEOUT_S": str(hang_timeout_s)}
        self.popen = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("begun")

    def await_sign(self) -> Sign:
        """What it says, once it says something."""
        while (sign := read(self.sign)) is None:
            time.sleep(0.1)
        return sign

    def become_ready(self) -> None:
        """Let it take work."""
        assert self.popen.stdin
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()
        self._expect("ready")

    def check(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its health check."""
        command = [sys.executable, "-m", "deploy.alive", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self._env, capture_output=True, text=True, check=False)

    def _expect(self, line: str) -> None:
        assert self.popen.stdout
        assert self.popen.stdout.readline() == f"{line}\n"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """One that is killed after two seconds of silence."""
    process = Process(tmp_path / "sign", hang_timeout_s=2)
    yield process
    process.popen.send_signal(signal.SIGKILL)
    process.popen.communicate()


def test_a_process_is_well_once_it_is_ready(process: Process) -> None:
    """Before that it lives, and takes no work."""
    process.await_sign()
    before = process.check()
    process.become_ready()

    assert (before.returncode, before.stdout) == (1, "it is not ready yet\n")
    assert process.check().returncode == 0


def test_whoever_hangs_is_killed_if_the_check_is_to_do_so(process: Process) -> None:
    """Else it is only reported; the container is started again by whoever looks after it."""
    process.become_ready()
    process.popen.send_signal(signal.SIGSTOP)
    shown_s = time.monotonic()
    while time.monotonic() < shown_s + 3:  # its silence is what is tried
        time.sleep(0.1)

    reported = process.check()
    assert (reported.returncode, reported.stdout) == (1, "it has shown no sign of life for 2 s\n")
    assert process.popen.poll() is None

    assert process.check("--end").returncode == 1
    assert process.popen.wait(timeout=60) == -signal.SIGKILL


def test_who_was_only_stopped_is_well_again(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `docker pause`: it is given the time to show that it goes on."""
    process.become_ready()
    long_ago_s = time.time() - 3600
    os.utime(process.sign, (long_ago_s, long_ago_s))
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
    for name in (CONTAINER_FILE, "ASR_HANG_TIMEOUT_S"):
        monkeypatch.setenv(name, process._env[name])
    monkeypatch.setattr(sys, "argv", ["alive", "--end"])

    assert alive.main() == 0
    assert killed == []


def test_a_file_that_a_dead_process_has_left_behind_says_nothing(process: Process, tmp_path: Path) -> None:
    """A container that is started again finds it, and has not begun yet."""
    process.become_ready()
    process.popen.send_signal(signal.SIGKILL)
    process.popen.wait(timeout=60)

    assert (tmp_path / "sign").exists()
    assert read(tmp_path / "sign") is None
    assert process.check("--end").stdout == "it has not begun\n"


def test_a_successor_takes_the_file_over(process: Process, tmp_path: Path) -> None:
    """What its predecessor said of being ready is forgotten."""
    process.become_ready()
    process.popen.send_signal(signal.SIGKILL)
    process.popen.wait(timeout=60)

    successor = Process(tmp_path / "sign")
    sign = successor.await_sign()
    successor.popen.kill()
    successor.popen.communicate()

    assert (sign.pid, sign.ready) == (successor.popen.pid, False)
    assert not is_silent(sign, 60)
