"""The load test keeps to itself."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_locust_comes_last() -> None:
    """Whoever only reads reports or plans loads neither Locust nor gevent."""
    code = "import sys, loadtest.__main__; print(*{'locust', 'gevent'} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_the_standard_library_stays_as_it_is() -> None:
    """Locust replaces its sockets and threads where nobody prevents it."""
    code = "import socket, loadtest.load.runner, locust; print(socket.socket.__module__)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "socket"
