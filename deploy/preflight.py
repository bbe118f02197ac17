"""What must be right before anything is started: each check raises one sentence with its remedy."""

import errno
import socket

from actors import devices, weights
from actors.engines import catalog, sensevoice_folder
from actors.errors import StartupError

#: What cuts the recordings whatever the model.
VAD = "fsmn-vad"


def check_model(model: str) -> None:
    """There is such a model, and its weights and those of the VAD are whole.

    Raises:
        StartupError: there is none, or a file is missing or damaged.
    """
    weights.verify(VAD)
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
