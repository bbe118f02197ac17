"""Starts supervisord and talks to it over its control socket."""

import http.client
import os
import socket
import subprocess
import sys
import xmlrpc.client
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from supervisor.xmlrpc import Faults

from actors.access import secret
from actors.access.operator_key import OPERATOR_KEY
from actors.errors import StartupError
from actors.settings import PARTS, STATE_DIR, Settings, variable
from deploy.paths import HOME, SUPERVISORD_CONF, socket_path
from deploy.running import Running

REPLY_TIMEOUT_S: Final = 10.0
DAEMON_START_TIMEOUT_S: Final = 30.0

#: Settings that a worker which starts anew takes from its host's start.
_FIXED: Final = ("instances", "segmenters", "node", "parts")

#: glibc gives threads heaps of their own, and what is free in one does not serve another: with two at most an
#: instance stays smaller by a tenth, and does not creep upwards. Whoever starts us may say otherwise.
_MEMORY: Final = {"MALLOC_ARENA_MAX": "2"}


class ProcessState(StrEnum):
    """supervisord's states of a process."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    STOPPING = "STOPPING"
    EXITED = "EXITED"
    FATAL = "FATAL"
    UNKNOWN = "UNKNOWN"


class Process(Struct, frozen=True, kw_only=True):
    """A process as supervisord knows it; times in seconds since the epoch, pid 0 when there is none."""

    name: str
    group: str
    state: ProcessState = msgspec.field(name="statename")
    pid: int
    started_s: int = msgspec.field(name="start")
    now_s: int = msgspec.field(name="now")
    logfile: str = msgspec.field(name="stdout_logfile")


def launch(settings: Settings, running: Running, redis_server: Path | None) -> None:
    """Start supervisord in the background; it starts nothing yet.

    Raises:
        StartupError: it does not start; the message has its reason.
    """
    ours = {
        "QUINTET_HOME": str(HOME),
        "QUINTET_STATE": str(STATE_DIR),
        "QUINTET_SOCKET": str(socket_path()),
        **_counts(settings),
        # So it is, whatever `.env` says when one of them starts anew.
        **{variable(name): str(getattr(settings, name)) for name in _FIXED},
        "QUINTET_SILENT_S": str(settings.hang_timeout_s),
        "QUINTET_REDIS_SERVER": str(redis_server),
        "QUINTET_REDIS_COUNT": "0" if redis_server is None else "1",
        "ASR_REDIS_URL": running.redis_url,
        OPERATOR_KEY: secret.digest(running.key),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(SUPERVISORD_CONF)]
    done = subprocess.run(
        command,
        cwd=HOME,
        env={**_MEMORY, **os.environ, **ours},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DAEMON_START_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise StartupError(f"supervisord does not start: {(done.stderr or done.stdout).strip()}")


def _counts(settings: Settings) -> dict[str, str]:
    """How many processes of each part run here."""
    counts = {"instances": settings.instances, "segmenters": settings.segmenters}
    return {
        f"QUINTET_{part.upper()}": str(counts.get(part, 1) if part in settings.runs else 0) for part in PARTS
    }


class Stopping(StartupError):
    """supervisord is on its way down, and answers nothing else any more."""


class Control:
    """Remote control of the supervisord of this checkout."""

    def __init__(self, path: Path | None = None) -> None:
        self._transport = _UnixTransport(path or socket_path())
        self._proxy: Any = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=self._transport)

    def pid(self) -> int | None:
        """The process id of supervisord, None when it does not run.

        Raises:
            Stopping: it is about to end.
            StartupError: it runs and does not answer.
        """
        try:
            return int(self._ask("getPID"))
        except TimeoutError as error:
            raise StartupError("supervisord hangs: ./justw stop ends it and all its processes.") from error
        except OSError:
            return None

    def processes(self) -> list[Process]:
        """All processes, in the order in which they are started.

        Raises:
            OSError: supervisord does not run.
            Stopping: it is about to end.
        """
        return msgspec.convert(self._ask("getAllProcessInfo"), list[Process])

    def start_group(self, group: str) -> None:
        """Start the processes of a group without waiting for them."""
        self._ask("startProcessGroup", group, False)

    def signal(self, process: Process, name: str) -> None:
        """Send a process a signal, if it has not just ended; where it ends by that, it is started anew."""
        try:
            self._ask("signalProcess", f"{process.group}:{process.name}", name)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in {Faults.NOT_RUNNING, Faults.FAILED}:
                raise

    def shut_down(self) -> None:
        """Ask supervisord to stop everything in order, and itself; it goes on while this returns."""
        self._ask("shutdown")

    def _ask(self, method: str, *arguments: object) -> Any:
        try:
            return getattr(self._proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise Stopping("Quintet is stopping; try again when it has stopped.") from None
            raise
        finally:
            self._transport.close()


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = host, connection
        return connection


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=REPLY_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
