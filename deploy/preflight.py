"""What must be right before anything is started: each check raises one sentence with its remedy."""

import errno
import socket
import time

import redis

from actors import devices, names, weights
from actors.engines import catalog, sensevoice_folder
from actors.errors import StartupError
from actors.records import WorkerReport
from actors.settings import Settings
from actors.store.connection import unrepeated
from actors.store.workers import HEARTBEAT_S, WorkerRegistry

#: A worker that lives reports again within this time.
NEXT_REPORT_S = 2.5 * HEARTBEAT_S

#: What cuts the recordings whatever the model.
VAD = "fsmn-vad"


def check_vad() -> None:
    """The weights of the VAD are whole.

    Raises:
        StartupError: a file is missing or damaged.
    """
    weights.verify(VAD)


def check_model(model: str) -> None:
    """There is such a model, and its weights are whole.

    Raises:
        StartupError: there is none, or a file is missing or damaged.
    """
    catalog.create(model)
    name = catalog.resolve(model)
    if name in catalog.ENGINES:
        weights.verify(name)
    elif catalog.is_folder(name):
        sensevoice_folder.check(catalog.folder(name))


def check_devices(wanted: str) -> None:
    """The GPUs that the setting numbers are there.

    Raises:
        StartupError: one is not.
    """
    if wanted in {"auto", "cpu"}:
        return
    there = devices.visible_gpus()
    missing = [number for number in wanted.split(",") if int(number) not in there]
    if missing:
        raise StartupError(
            f"ASR_DEVICES={wanted}: there is no GPU {', '.join(missing)} ({len(there)} found); "
            "choose others, auto or cpu"
        )


def check_port(host: str, port: int) -> None:
    """The port can be listened on.

    Raises:
        StartupError: it is taken, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As uvicorn does: a port whose connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise StartupError(
            f"Port {port} needs root: choose one above 1023, for example ASR_PORT=5002"
        ) from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise StartupError(f"ASR_HOST={host} is not an address of this machine ({error})") from error
        other = port + 1 if port < 65535 else port - 1
        raise StartupError(
            f"Port {port} is taken by another program: stop that, or choose another port, "
            f"for example ASR_PORT={other} ./justw start"
        ) from error


def check_names(settings: Settings) -> None:
    """No other host is called as this one, of which nothing runs.

    What is left of a process that was killed here may still look alive, but says nothing new.

    Raises:
        StartupError: a worker with a name of this host's goes on to report.
    """
    try:
        other = _namesake(set(map(str, names.expected(settings))), settings)
    except redis.RedisError as error:
        raise StartupError(f"The Redis of ASR_REDIS_URL has gone away ({error}): start it") from error
    if other:
        raise StartupError(
            f"{other.name} runs already: process {other.pid} on {other.host}. "
            "No two hosts of one Redis may have the same name: choose another with ASR_NODE"
        )


def _namesake(ours: set[str], settings: Settings) -> WorkerReport | None:
    """A worker with one of our names that goes on to report."""
    with unrepeated(settings) as client:
        registry = WorkerRegistry(client)
        ends_s = time.monotonic() + NEXT_REPORT_S
        before = registry.heard_lately(ours)
        while before and time.monotonic() < ends_s:
            time.sleep(HEARTBEAT_S / 4)
            for name, report in registry.heard_lately(ours).items():
                if before.get(name, report) != report:
                    return report
    return None
