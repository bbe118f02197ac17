"""One step of the set-up: a line that says what is done, how long it takes, and what helps if it fails."""

import subprocess
import sys
import time
from collections.abc import Sequence

#: Lines of a failed command's output that are shown.
SHOWN_LINES = 15


class SetupFailed(Exception):
    """A step of the set-up did not work; the message names the reason and the remedy."""


def step(title: str, command: Sequence[str], remedy: str) -> None:
    """Run a command quietly behind one line on the terminal.

    Raises:
        SetupFailed: the command exited with an error.
    """
    began_s = time.monotonic()
    print(f"{title} … ", end="", flush=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            output = _wait(process, title, began_s)
        except KeyboardInterrupt:
            process.terminate()
            raise
    print(f"{_line_start(title)}{time.monotonic() - began_s:.1f} s", flush=True)
    if process.returncode:
        raise SetupFailed(f"{_essence(output)}\n{title} failed: {remedy}.")


def _wait(process: subprocess.Popen[str], title: str, began_s: float) -> str:
    """Wait for the end, with the seconds running where someone watches."""
    while True:
        try:
            return process.communicate(timeout=1)[0]
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                print(f"{_line_start(title)}{time.monotonic() - began_s:.0f} s", end="", flush=True)


def _line_start(title: str) -> str:
    return f"\r{title} … " if sys.stdout.isatty() else ""


def _essence(output: str) -> str:
    """The lines of pip's output that say what went wrong, from its first error on, else its last ones."""
    lines = [line for line in output.splitlines() if not line.startswith("WARNING")]
    for number, line in enumerate(lines):
        if line.startswith(("ERROR", "error")):
            return "\n".join(lines[number : number + SHOWN_LINES])
    return "\n".join(lines[-SHOWN_LINES:])
