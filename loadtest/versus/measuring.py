"""One measurement: so many users who send recordings, each the next request upon the last answer."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from deploy.client import NotServed
from deploy.paths import HOME
from loadtest import report
from loadtest.report import Report
from loadtest.versus.comparison import Round, side

#: Waits in a queue are measured, not cut off.
TIMEOUT_S: Final = 3600


def in_turn(ours: str, theirs: str, rounds: int, load: Callable[[str], Report]) -> Iterator[Round]:
    """The servers at two URLs under the same load, A B B A …: whoever is second finds a warmed machine.

    Raises:
        NotServed: a run could not be made.
        ValueError: one of them answered nothing well.
    """
    for number in range(rounds):
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        found = {url: load(url) for url in order}
        yield Round(
            users=found[ours].run.plan.concurrent_users, ours=side(found[ours]), theirs=side(found[theirs])
        )


def measure(url: str, users: int, requests_per_user: int, recordings: Path | None = None) -> Report:
    """What a run of so many users on the server at the URL gave.

    `recordings`: a folder of them, instead of the short corpus.

    Raises:
        NotServed: the run could not be made; the message says why.
    """
    folder = {"test_file": recordings} if recordings else {}
    return carried_out(
        api_url=url,
        endpoint="openai",
        corpus="short",
        serial_texts=False,
        concurrent_users=users,
        requests_per_user=requests_per_user,
        delay_between_requests=0,
        timeout=TIMEOUT_S,
        **folder,
    )


def carried_out(**plan: object) -> Report:
    """What a plan with these values gave, by a process of its own: Locust changes the one it is in.

    Raises:
        NotServed: the run could not be made; the message says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "loadtest", "--out", folder]
        command += [f"{name}={value}" for name, value in plan.items()]
        done = subprocess.run(
            command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise NotServed(done.stderr.strip())
        return report.read(next(Path(folder).glob("*.json")))
