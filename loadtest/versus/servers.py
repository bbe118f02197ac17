"""Starts what is compared: the service of this checkout, and FunASR's own server, on the same weights."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx
from msgspec import Struct

from actors.settings import STATE_DIR
from deploy import running
from deploy.client import NotServed
from deploy.locked import Part, part
from deploy.paths import HOME

#: What FunASR's server needs besides our own packages, and what it says.
FOLDER: Final = STATE_DIR / "versus"

#: Weights that are always there: the small SenseVoice that comes with the tests.
SMALL_MODEL: Final = HOME / "tests" / "sensevoice" / "model"

#: As for an instance of ours.
LOAD_TIMEOUT_S: Final = 600

#: How long a server may take to end before it is killed.
STOP_TIMEOUT_S: Final = 10


class Server(Struct, frozen=True):
    """A server that runs."""

    name: str
    url: str


@contextmanager
def quintet(model: Path) -> Iterator[Server]:
    """The service of this checkout with these weights; its other settings are those of the checkout.

    Raises:
        NotServed: it runs already, with weights of its own, or it cannot be started.
    """
    if running.read():
        raise NotServed(f"The service runs: ./justw stop, so that it can be started with {model}.")
    # FunASR's server refuses nobody, however long they wait.
    environment = os.environ | {"ASR_MODEL": str(model), "ASR_REQUEST_TIMEOUT_S": "3600"}
    try:
        run_service("start", environment)
        service = running.read()
        if service is None:
            raise NotServed("The service has been stopped by somebody else.")
        yield Server(f"Quintet {version_of_quintet()}, {service.instances} instances", service.url)
    finally:
        run_service("stop", environment)


def version_of_quintet() -> str:
    """As `pyproject.toml` has it."""
    pyproject = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
    said: str = pyproject["project"]["version"]
    return said


@contextmanager
def funasr_server(model: Path) -> Iterator[Server]:
    """FunASR's own server on a CPU with these weights, and no more threads than there are cores.

    Raises:
        NotServed: it cannot be started; the message says where its log is.
    """
    packages = _packages()
    # Its threads are four whatever the machine, and OpenMP's wait for each other busily.
    threads = {"OMP_THREAD_LIMIT": str(len(os.sched_getaffinity(0)))}
    environment = os.environ | threads | {"PYTHONPATH": str(packages)}
    port = free_port()
    command = [sys.executable, "-m", "funasr.bin.server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--device", "cpu", "--model-path", str(model)]
    log = FOLDER / "funasr-server.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        server = Server(f"funasr-server {version('funasr')}", f"http://127.0.0.1:{port}")
        _await(server.url, process, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_service(command: str, environment: dict[str, str], home: Path = HOME) -> None:
    """Run a command of the service of a checkout, `start` or `stop`, to its end, also when Ctrl-C comes.

    Raises:
        NotServed: it fails; the message is what it said.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.service", command],
        cwd=home,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: what has begun to start can then be stopped
    )
    try:
        _, said = process.communicate()
    except KeyboardInterrupt:
        process.communicate()
        raise
    if process.returncode:
        raise NotServed(f"./justw {command}: {said.strip()}")


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until it answers."""
    end_s = time.monotonic() + LOAD_TIMEOUT_S
    while time.monotonic() < end_s and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", trust_env=False).is_success:
                return
        time.sleep(0.2)
    raise NotServed(f"funasr-server did not start: {log}")


def _packages() -> Path:
    """A folder with what the server needs besides our packages, installed when it is not there yet.

    Beside ours they would be what our service runs on: python-multipart puts a package `multipart` before
    the one that our forms are read with.
    """
    wanted = part(Part.VERSUS)
    folder = FOLDER / blake2b(wanted.encode(), digest_size=8).hexdigest()
    if not folder.is_dir():
        unfinished = folder.with_suffix(".unfinished")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--upgrade", "--target", str(unfinished), "--requirement", "/dev/stdin"]
        done = subprocess.run(command, input=wanted, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise NotServed(f"The packages of funasr-server cannot be installed: {done.stderr.strip()}")
        unfinished.rename(folder)
    return folder


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
