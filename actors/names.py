"""What a worker is called: `instance-1`, or `instance-1@gpu-2` where several hosts share a Redis."""

import enum
import socket
from collections.abc import Iterator

from msgspec import Struct

from actors.settings import Settings


class WorkerKind(enum.StrEnum):
    """What there may be several of on a host."""

    INSTANCE = "instance"
    SEGMENTER = "segmenter"


class WorkerName(Struct, frozen=True, order=True):
    """No two workers of one Redis have the same."""

    kind: WorkerKind
    #: The host among those that share a Redis; empty where only one can.
    node: str
    number: int

    @classmethod
    def of(cls, settings: Settings, kind: WorkerKind, number: int) -> "WorkerName":
        """That of a worker which runs here."""
        return cls(kind, node(settings), number)

    @classmethod
    def parse(cls, text: str) -> "WorkerName":
        """What `str` makes of it, back again.

        Raises:
            ValueError: it is no name of a worker.
        """
        process, _, host = text.partition("@")
        kind, _, number = process.partition("-")
        return cls(WorkerKind(kind), host, int(number))

    def __str__(self) -> str:
        """As Redis, `/health` and the metrics have it."""
        return on(self.node, self.process)

    @property
    def process(self) -> str:
        """What supervisord and the log call it, of which each host has its own."""
        return f"{self.kind}-{self.number}"


def on(node: str, process: str) -> str:
    """What the worker is called that this process of a host is."""
    return f"{process}@{node}" if node else process


def node(settings: Settings) -> str:
    """What tells the workers of this host from those of others; empty where no other can reach its Redis."""
    if settings.node or not settings.shares_redis:
        return settings.node
    return socket.gethostname()


def host(settings: Settings) -> str:
    """What the log calls this host."""
    return settings.node or socket.gethostname()


def expected(settings: Settings) -> Iterator[WorkerName]:
    """The workers that this host is to run."""
    for part, kind, count in (
        ("instances", WorkerKind.INSTANCE, settings.instances),
        ("segmenters", WorkerKind.SEGMENTER, settings.segmenters),
    ):
        if part in settings.runs:
            yield from (WorkerName.of(settings, kind, number) for number in range(1, count + 1))
