"""Hosts on loopback addresses, for where nobody may make networks: cut off is who is stopped."""

import os
import signal

from msgspec import Struct

from tests.hosts.network import Network


class Loopback(Struct, frozen=True):
    """A host whose processes are stopped, all at once, and go on later."""

    address: str
    through: tuple[str, ...] = ()

    def cut(self, pids: list[int]) -> None:
        """Stop them."""
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)

    def join(self, pids: list[int]) -> None:
        """Let them go on."""
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def loopback(hosts: int) -> Network:
    """So many of them."""
    return Network("127.0.0.1", tuple(Loopback(f"127.0.0.{number + 2}") for number in range(hosts)))
