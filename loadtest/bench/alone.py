"""Measures a row in a process of its own, so that none leaves threads, memory or a crash to the next.

Run as `python -m loadtest.bench.alone ROW SIZE FOLDER`: the outcome goes to `FOLDER/found.json`.
"""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from deploy.client import NotServed
from deploy.paths import HOME
from loadtest.bench import services
from loadtest.bench.rows import Found, Size

Measure = Callable[[Size, Path], Found]

#: Row → its module, and what measures it: called with a `Size` and an empty folder, it gives a `Found`.
MEASURES: Final = {
    "vad": ("vad", "measure"),
    "engine": ("engine", "measure"),
    "http": ("http", "measure"),
    "efficiency": ("efficiency", "measure"),
    "overhead": ("overhead", "measure"),
    "long_file": ("long_file", "measure"),
    "memory": ("memory", "measure"),
    "parity": ("parity", "measure"),
    "backlog": ("backlog", "measure"),
    "cuda_engine": ("cuda", "measure_engine"),
    "cuda_http": ("cuda", "measure_http"),
}

#: A row that takes longer hangs.
LIMIT_S: Final = 1800

#: How long a row that is told to end may take to stop its servers.
STOP_S: Final = 150


class RowFailed(Exception):
    """A row could not be measured; the message says why."""


def measured(row: str, size: Size) -> Found:
    """What the row gives; nothing that it started is left, however it ends.

    Raises:
        RowFailed: it gives nothing.
    """
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "loadtest.bench.alone", row, size, name]
        with (folder / "said").open("w") as said, _ended(command, said.fileno(), folder) as process:
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                raise RowFailed(f"it took more than {LIMIT_S} s") from None
        if process.returncode:
            lines = (folder / "said").read_text(errors="replace").strip().splitlines()
            raise RowFailed(lines[-1] if lines else f"exit status {process.returncode}")
        return msgspec.json.decode((folder / "found.json").read_bytes(), type=Found)


@contextmanager
def _ended(command: list[str], said: int, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of a command, in a session of its own: Ctrl-C is for us, who then end it and its like."""
    process = subprocess.Popen(command, cwd=HOME, stdout=said, stderr=said, start_new_session=True)
    try:
        yield process
    finally:
        with _undisturbed():
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            services.stop_left(folder)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Impatience must not leave half of it running."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def main(row: str, size: Size, folder: Path) -> int:
    """Measure, and leave what was found in the folder; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C, so that no server is left behind
        signal.signal(number, signal.default_int_handler)
    module, function = MEASURES[row]
    try:
        measure: Measure = getattr(importlib.import_module(f"loadtest.bench.{module}"), function)
        found = measure(size, folder)
    except KeyboardInterrupt:
        return 130
    except NotServed as error:
        print(*str(error).split(), file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it is, the table says it
        traceback.print_exc()
        print(f"{type(error).__name__}:", *str(error).split(), file=sys.stderr)
        return 1
    (folder / "found.json").write_bytes(msgspec.json.encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Size(sys.argv[2]), Path(sys.argv[3])))
