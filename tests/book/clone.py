"""A fresh copy of the checkout in which the documentation's commands run, as in a clone that is set up."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

from msgspec import Struct

from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from tests.checkouts import ROOT, checkout, free_port

#: What users have besides what the service needs.
PARTS: Final = ("docs", "README.md", "justfile", "justw")

#: Commands that end only when they are told to.
ENDLESS: Final = re.compile(r"justw logs .*-f\b|/monitoring/logs")
ENDLESS_S: Final = 3.0

#: Longer than any of the others takes on a busy machine.
MOST_S: Final = 180.0

_SETUP_DONE: Final = (
    "from deploy import setup; setup.STAMP.write_text(setup.fingerprint(gpu=setup.has_gpu()))"
)


class Printed(Struct, frozen=True):
    """What came of a command."""

    text: str
    #: None if it was ended.
    status: int | None


class Clone:
    """A checkout that is set up, with a recording in it, on a port of its own that commands call 5002."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.service: Final = checkout(home, **settings)
        self._port = self.service.env["ASR_PORT"]
        for part in PARTS:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, home / part)
        self._other_port = str(free_port())
        self._link_environment()
        quick_brown_fox = next(clip for clip in clips("en") if clip.path.stem == "quick_brown_fox")
        (home / "talk.mp3").write_bytes(encoded(quick_brown_fox.audio, "mp3"))
        (home / ".curlrc").write_text('silent\nshow-error\nnoproxy = "*"\n')
        self.env: Final = self.service.env | {
            "CURL_HOME": str(home),  # no meter, as where it prints to a terminal
            "NO_PROXY": "*",
            "PYTHONUNBUFFERED": "1",  # both streams in the order of time
            "COLUMNS": "120",
            "TERM": "dumb",
        }

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.service.home

    def run(self, line: str) -> Printed:
        """Run a command as a user's shell does."""
        process = subprocess.Popen(
            ["bash", "-c", self._with_ports(line)],
            cwd=self.home,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        is_endless = ENDLESS.search(line) is not None
        try:
            text, _ = process.communicate(timeout=ENDLESS_S if is_endless else MOST_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            text, _ = process.communicate()
            return Printed(self._without_ports(text), None if is_endless else -1)
        return Printed(self._without_ports(text), process.returncode)

    def stop(self) -> None:
        """End the service if it runs."""
        stopped = self.service.run("deploy.service", "stop")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr

    def _link_environment(self) -> None:
        """An environment with nothing of its own but the mark of set-up, so that this changes no other."""
        venv = self.home / ".venv"
        venv.unlink()
        venv.mkdir()
        for part in ("bin", "lib"):
            (venv / part).symlink_to(ROOT / ".venv" / part)
        shutil.copy(ROOT / ".venv" / "pyvenv.cfg", venv)
        done = [str(venv / "bin" / "python"), "-c", _SETUP_DONE]
        subprocess.run(done, cwd=self.home, check=True)

    def _with_ports(self, line: str) -> str:
        return re.sub(r"\b5002\b", self._port, line).replace("5003", self._other_port)

    def _without_ports(self, text: str) -> str:
        return text.replace(self._port, "5002").replace(self._other_port, "5003")
