"""Whether the process of this container is well: `python -m deploy.alive [--end]`, its health check.

Exits with 0 when it is ready and shows life (`actors/life_sign.py`), else with 1 and the reason.
Docker lets an unhealthy container be: with `--end` a process that has shown none for `ASR_HANG_TIMEOUT_S` is
killed, which ends the container, and that is started again. Linux protects number 1 of a container from this,
so something else must be it: `init: true`.
"""

import argparse
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from actors import settings
from actors.life_sign import CONTAINER_FILE, EVERY_S, READY

#: Whoever seems silent is looked at again: it may only have been stopped, as by `docker pause`, until now.
LOOK_AGAIN_S: Final = 2 * EVERY_S


class Sign(Struct, frozen=True):
    """What a living process says, and when it showed life last."""

    pid: int
    ready: bool
    shown_s: float


def main() -> int:
    """Look at the process of this container; the exit status is 0 when it is well."""
    parser = argparse.ArgumentParser(prog="python -m deploy.alive")
    parser.add_argument("--end", action="store_true", help="kill a process that hangs")
    ends = parser.parse_args().end
    path, silent_s = Path(os.environ[CONTAINER_FILE]), settings.load().hang_timeout_s
    sign = read(path)
    if silent_s and sign and is_silent(sign, silent_s):
        time.sleep(LOOK_AGAIN_S)
        sign = read(path)
        if sign and is_silent(sign, silent_s):
            if ends:
                os.kill(sign.pid, signal.SIGKILL)
            return _ill(f"it has shown no sign of life for {silent_s} s{': killed' if ends else ''}")
    if sign is None:
        return _ill("it has not begun")
    return 0 if sign.ready else _ill("it is not ready yet")


def read(path: Path) -> Sign | None:
    """What the process says whose file this is; None where none lives that does."""
    try:
        with path.open("rb") as file:
            if _is_left_behind(file.fileno()):
                return None
            words = file.read().decode().split()
            shown_s = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    return Sign(int(words[0]), READY in words, shown_s) if words else None


def is_silent(sign: Sign, silent_s: float) -> bool:
    """Whether the last sign of life is too old."""
    return time.time() - sign.shown_s > silent_s


def _is_left_behind(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ill(reason: str) -> int:
    print(reason)
    return 1


if __name__ == "__main__":
    sys.exit(main())
