"""`restart --rolling`: the workers one after the other, while the others go on with what comes in.

The API and Redis stay as they are: to take either away would cut off requests.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console

from actors import names, settings
from actors.errors import StartupError
from actors.store.connection import connect
from actors.store.workers import WorkerRegistry
from deploy import pool, running
from deploy.bring_up import AROUND_LOADING_S, LOOK_EVERY_S, Looks, await_all
from deploy.running import Running
from deploy.start import check, one_at_a_time
from deploy.supervisor import Control

#: What is restarted, in this order: first those of which there are several.
PROGRAMS: Final = ("instance", "segmenter", "courier", "monitor")

#: A worker that is told to end does so within 25 s; one that hangs is killed then.
GRACE_S: Final = 30.0

#: What an instance that would start itself anew finds in its way; for so long if we are killed.
_NAME: Final = "restart --rolling"
_LEASE_S: Final = 3600


def roll(console: Console) -> None:
    """Let supervisord start each worker anew, the next one once all are ready again.

    Raises:
        SettingsError, StartupError: it cannot begin, or a worker does not come up again; those whose turn
            had not come go on as they were.
    """
    with one_at_a_time():
        service, control = running.read(), Control()
        if not service or not control.pid():
            raise StartupError("Quintet is not running: ./justw start.")
        if _is_alone(service):
            raise StartupError("Nobody could go on while the only instance restarts: ./justw restart.")
        config = settings.load()
        check(config)
        patience_s = config.load_timeout_s + AROUND_LOADING_S
        with _nobody_else_away(names.on(names.node(config), _NAME), service, patience_s):
            await_all(service, Looks(control, patience_s))
            for worker in _workers(control):
                began_s = time.monotonic()
                _replace(worker, service, control, patience_s)
                console.print(f"{worker}: ready after {time.monotonic() - began_s:.1f} s")


def _is_alone(service: Running) -> bool:
    """Whether the only instance of all hosts is that of this one."""
    if "instances" not in service.parts or service.instances > 1:
        return False
    known = pool.health(service)
    return known is None or known.healthy_instances <= 1


@contextmanager
def _nobody_else_away(name: str, service: Running, patience_s: float) -> Iterator[None]:
    """Meanwhile no instance starts itself anew and no other host rolls; one that does is waited for."""
    with connect(service.redis_url) as client:
        registry = WorkerRegistry(client)
        ends_s = time.monotonic() + patience_s
        while not registry.begin_recycling(name, _LEASE_S):
            if time.monotonic() > ends_s:
                raise StartupError("An instance or another host has been at it for too long: ./justw status.")
            time.sleep(LOOK_EVERY_S)
        try:
            yield
        finally:
            registry.end_recycling(name)


def _workers(control: Control) -> list[str]:
    names = [process.name for process in control.processes()]
    return [name for wanted in PROGRAMS for name in names if name.partition("-")[0] == wanted]


def _replace(name: str, service: Running, control: Control, patience_s: float) -> None:
    """End a worker in order, and wait until its successor and all others work."""
    (old,) = (process for process in control.processes() if process.name == name)
    # A signal, and no order to stop: so there is no moment at which nobody would start it again.
    control.signal(old, "TERM")
    kill_at_s = time.monotonic() + GRACE_S
    for processes in Looks(control, GRACE_S + patience_s, waiting_for=name):
        if all(process.pid != old.pid for process in processes):
            break
        if time.monotonic() > kill_at_s:
            control.signal(old, "KILL")
    await_all(service, Looks(control, patience_s))
