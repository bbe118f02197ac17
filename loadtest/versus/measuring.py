"""One measurement: so many users who send recordings, each the next request upon the last answer."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from deploy.client import NotServed
from deploy.paths import HOME
from loadtest import report
from loadtest.report import Report

#: Waits in a queue are measured, not cut off.
TIMEOUT_S: Final = 3600


def measure(url: str, users: int, requests_per_user: int, recordings: Path | None = None) -> Report:
    """What a run on the server at the URL gave, by a process of its own: Locust changes the one it is in.

    `recordings`: a folder of them, instead of the short corpus.

    Raises:
        NotServed: the run could not be made; the message says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        plan: dict[str, object] = {
            "api_url": url,
            "endpoint": "openai",
            "corpus": "short",
            "serial_texts": "false",
            "concurrent_users": users,
            "requests_per_user": requests_per_user,
            "delay_between_requests": 0,
            "timeout": TIMEOUT_S,
        }
        if recordings:
            plan["test_file"] = recordings
        command = [sys.executable, "-m", "loadtest", "--out", folder]
        command += [f"{name}={value}" for name, value in plan.items()]
        done = subprocess.run(
            command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise NotServed(done.stderr.strip())
        return report.read(next(Path(folder).glob("*.json")))
