"""Starts the service of this checkout in a copy of it: folders, port and Redis are its own."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec
import psutil
from msgspec import Struct

from actors.settings import PREFIX, STATE_DIR
from deploy import leftovers, running
from deploy.client import NotServed
from deploy.paths import HOME
from loadtest.metrics import Metrics
from loadtest.versus.servers import free_port, run_service
from monitoring.health import HealthReport

#: What a service runs from.
PARTS: Final = ("actors", "api", "deploy", "monitoring", "tests/doubles")
FILES: Final = ("pyproject.toml", "tests/__init__.py")

#: Recognises nothing, at once.
INSTANT: Final = "tests.doubles.engines:InstantEngine"

#: Where supervisord tells a process its name.
_NAME: Final = "SUPERVISOR_PROCESS_NAME"

#: So many unless a row says otherwise; the environment's own settings are left out.
INSTANCES: Final = 5


class Service(Struct, frozen=True):
    """A service that runs, and how long `start` took."""

    home: Path
    url: str
    start_s: float

    def client(self) -> httpx.Client:
        """A connection to it, which waits as long as it takes."""
        return httpx.Client(base_url=self.url, timeout=None, trust_env=False)  # noqa: S113 - see above

    def processes(self) -> list[psutil.Process]:
        """All of its processes, supervisord and Redis too."""
        return leftovers.find(self.home)

    def programs(self) -> dict[str, list[psutil.Process]]:
        """Its processes by what supervisord, which is one of them, calls them."""
        found: dict[str, list[psutil.Process]] = {}
        for process in self.processes():
            found.setdefault(process.environ().get(_NAME, "supervisord"), []).append(process)
        return found

    def instances(self) -> list[psutil.Process]:
        """The processes of its instances."""
        with self.client() as http:
            report = msgspec.json.decode(http.get("/health").content, type=HealthReport)
        return [psutil.Process(one.pid) for one in report.health_details if one.pid]

    def segmenters(self) -> list[psutil.Process]:
        """The processes of its segmenters."""
        with self.client() as http:
            report = msgspec.json.decode(http.get("/health").content, type=HealthReport)
        return [psutil.Process(one.pid) for one in report.segmenters if one.pid]

    @contextmanager
    def hold_segmenters(self) -> Iterator[None]:
        """Meanwhile they are stopped, so that what is accepted stays queued."""
        stopped = self.segmenters()
        try:
            for process in stopped:
                process.send_signal(signal.SIGSTOP)
            yield
        finally:
            for process in stopped:
                process.send_signal(signal.SIGCONT)


@contextmanager
def service(folder: Path, model: str, **settings: object) -> Iterator[Service]:
    """The service with a model and settings (`batch_rows=1`), in a copy of the checkout under `folder`.

    Raises:
        NotServed: it cannot be started.
    """
    home = _copy(folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    chosen = {"instances": INSTANCES, "port": free_port(), "model": model} | settings
    environment |= {PREFIX + name.upper(): str(value) for name, value in chosen.items()}
    try:
        began_s = time.perf_counter()
        run_service("start", environment, home)
        known = running.read(home / ".quintet" / "run" / running.RECORD.name)
        if known is None:
            raise NotServed("The service has been stopped by somebody else.")
        yield Service(home, known.url, time.perf_counter() - began_s)
    finally:
        run_service("stop", environment, home)
        shutil.rmtree(home)


def stop_left(folder: Path) -> None:
    """End what runs from a copy under `folder`, if whoever started it could not."""
    for home in folder.glob("home-*"):
        leftovers.end(leftovers.find(home))


def metrics(http: httpx.Client) -> Metrics:
    """What the service has counted."""
    return Metrics.parse(http.get("/metrics").raise_for_status().text)


def _copy(folder: Path) -> Path:
    """A checkout without what has been made in it, on the same weights and packages."""
    home = folder / f"home-{len(list(folder.glob('home-*')))}"
    for part in PARTS:
        shutil.copytree(HOME / part, home / part)
    for file in FILES:
        shutil.copy2(HOME / file, home / file)
    (home / ".venv").symlink_to((HOME / ".venv").resolve())
    (home / ".quintet").mkdir()
    (home / ".quintet" / "weights").symlink_to((STATE_DIR / "weights").resolve())
    return home
