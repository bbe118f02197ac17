"""The set-up."""

import subprocess
import sys

import pytest

from deploy import setup
from deploy.locked import HOME
from deploy.step import SetupFailed, step


def test_a_gpu_makes_another_environment() -> None:
    """A machine that gets a GPU is set up again."""
    assert setup.fingerprint(gpu=True) != setup.fingerprint(gpu=False)


def test_a_failed_step_says_what_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings of pip are noise; its errors and the remedy are what a reader needs."""
    output = "print('WARNING: noise'); print('ERROR: no such package'); raise SystemExit(1)"

    with pytest.raises(SetupFailed, match=r"^ERROR: no such package\nTrying failed: buy a modem\.$"):
        step("Trying", [sys.executable, "-c", output], "buy a modem")

    assert capsys.readouterr().out.startswith("Trying … ")


def test_the_launcher_refuses_an_unfit_python() -> None:
    """$PYTHON is honoured or refused, never silently replaced."""
    script = HOME / "deploy" / "python.sh"

    done = subprocess.run(
        ["sh", script],
        env={"PYTHON": "/bin/false", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "PYTHON=/bin/false is not a Python 3.11" in done.stderr
