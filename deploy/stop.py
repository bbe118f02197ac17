"""`stop`: end everything in order, and make sure that nothing is left."""

import time
from contextlib import suppress
from typing import Final

import psutil
from rich.console import Console

from actors.errors import StartupError
from deploy import leftovers, paths
from deploy.supervisor import Control, Stopping

#: Three groups, one after the other, each with supervisord's `stopwaitsecs` of 30 s.
PATIENCE_S: Final = 100.0

POLL_S: Final = 0.2


def stop(console: Console) -> bool:
    """Stop the service; False when there was nothing to stop."""
    control = Control()
    _await_other_stop(control)
    pid = _pid(control)
    if pid:
        began_s = time.monotonic()
        console.print("Stopping Quintet …")
        with suppress(OSError):
            control.shut_down()
        _wait_for_end(pid)
        console.print(f"Stopped in {time.monotonic() - began_s:.1f} s.")
    left = leftovers.find()
    if left:
        console.print(f"Ending {len(left)} processes that had lost their supervisor …")
        leftovers.end(left)
    paths.remove_run_folders()
    return bool(pid or left)


def _await_other_stop(control: Control) -> None:
    """Let a stop that is under way come to its end."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        try:
            control.pid()
        except Stopping:
            time.sleep(POLL_S)
        except StartupError:
            return
        else:
            return


def _pid(control: Control) -> int | None:
    # One that hangs is ended below, like one that is gone.
    with suppress(StartupError):
        return control.pid()
    return None


def _wait_for_end(pid: int) -> None:
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(timeout=PATIENCE_S)
