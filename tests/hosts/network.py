"""Hosts in network namespaces of their own, joined by a bridge; only root can make them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from msgspec import Struct


class Link(Protocol):
    """How a host is joined to the others."""

    @property
    def address(self) -> str:
        """Where it is."""
        ...

    @property
    def through(self) -> tuple[str, ...]:
        """What its commands are run through."""
        ...

    def cut(self, pids: list[int]) -> None:
        """Let nothing go to the host any more, or come from it: what is sent is lost, and nobody is told."""
        ...

    def join(self, pids: list[int]) -> None:
        """Join it again."""
        ...


class Cable(Struct, frozen=True):
    """A pair of interfaces, one of which is in the namespace of the host."""

    address: str
    namespace: str
    plug: str

    @property
    def through(self) -> tuple[str, ...]:
        """Into the namespace."""
        return ("ip", "netns", "exec", self.namespace)

    def cut(self, pids: list[int]) -> None:  # noqa: ARG002 - they live on, and do not know
        """Pull the plug."""
        _ip("link", "set", self.plug, "down")

    def join(self, pids: list[int]) -> None:  # noqa: ARG002 - as above
        """Put it in again."""
        _ip("link", "set", self.plug, "up")


class Network(Struct, frozen=True):
    """An address of this machine, and the links of hosts that can reach it."""

    address: str
    links: tuple[Link, ...]


def possible() -> bool:
    """Whether namespaces can be made here."""
    if os.geteuid() or not shutil.which("ip"):
        return False
    probe = f"q{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "delete", probe], capture_output=True, check=False)
    return made


@contextmanager
def network(hosts: int) -> Iterator[Network]:
    """So many hosts on a bridge; they are gone afterwards, and so is the bridge."""
    mark, subnet = os.getpid() % 100_000, f"10.{200 + os.getpid() % 50}.{os.getpid() % 250}"
    with ExitStack() as made:
        bridge = f"qb{mark}"
        _ip("link", "add", bridge, "type", "bridge")
        made.callback(_ip, "link", "delete", bridge)
        _ip("address", "add", f"{subnet}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        links = tuple(
            _cable(made, bridge, f"{mark}{chr(97 + number)}", f"{subnet}.{number + 2}")
            for number in range(hosts)
        )
        yield Network(f"{subnet}.1", links)


def _cable(made: ExitStack, bridge: str, mark: str, address: str) -> Cable:
    cable = Cable(address, f"q{mark}", f"qv{mark}")
    _ip("netns", "add", cable.namespace)
    made.callback(_ip, "netns", "delete", cable.namespace)
    _ip("link", "add", cable.plug, "type", "veth", "peer", "name", "eth0", "netns", cable.namespace)
    _ip("link", "set", cable.plug, "master", bridge, "up")
    _ip("-netns", cable.namespace, "address", "add", f"{address}/24", "dev", "eth0")
    for interface in ("eth0", "lo"):
        _ip("-netns", cable.namespace, "link", "set", interface, "up")
    return cable


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
