"""Logs tell what happened, and nothing that must stay secret."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CRASH = """
import structlog
from actors import logs
from actors.settings import Settings
logs.configure(Settings(), "instance-1")
def work(heard):
    raise RuntimeError("it broke")
try:
    work("what somebody said in confidence")
except RuntimeError:
    structlog.stdlib.get_logger().exception("crashed", job="j1")
"""


def test_a_crash_logs_no_local_variables() -> None:
    """The traceback is there, the values of its variables are not: among them are transcripts."""
    done = subprocess.run([sys.executable, "-c", CRASH], cwd=ROOT, capture_output=True, text=True, check=True)

    event = json.loads(done.stderr)
    assert (event["event"], event["job"], event["process"]) == ("crashed", "j1", "instance-1")
    assert event["exception"][0]["exc_value"] == "it broke"
    assert "confidence" not in done.stderr
