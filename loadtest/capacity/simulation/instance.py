"""An instance: what recognising a batch takes of which processor."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from msgspec import Struct
from simpy import Environment, Event

from loadtest.capacity.simulation.cores import NICE, NORMAL, Cores
from loadtest.capacity.simulation.hosts import Host
from loadtest.capacity.simulation.work import Part, audio_s

#: A process of the simulation.
Steps = Generator[Event, Any, None]


class Place(Struct, frozen=True):
    """Where instances work."""

    env: Environment
    host: Host
    cores: Cores
    gpu: Cores


class Instance:
    """One of a host's; `finish` is told of each segment that is recognised and written down."""

    def __init__(self, at: Place, number: int, finish: Callable[[Part], object]) -> None:
        self.env, self.host = at.env, at.host
        self.is_express = number <= at.host.express
        self.batches = 0
        self.rows = 0
        self._cores, self._gpu = at.cores, at.gpu
        self._finish = finish
        self._weight = NICE if at.host.express and not self.is_express and at.host.gpu is None else NORMAL

    def recognise(self, batch: Sequence[Part]) -> Steps:
        """The engine's part."""
        self.batches += 1
        self.rows += len(batch)
        host = self.host
        if host.gpu:
            yield self.env.timeout(host.gpu.launch_s)
            padded_s = host.limits.length_s([one.request for one in batch])
            yield self._gpu.work(padded_s / host.gpu.rtfx)
            return
        took_s = host.engine.batch_s(len(batch), audio_s(batch)) * host.crowding
        threads = host.engine.threads
        yield self._cores.work(took_s * threads, weight=self._weight, threads=threads)

    def fetch(self, batch: Sequence[Part]) -> Steps:
        """From the message to the samples in hand."""
        yield from self._around(batch)

    def conclude(self, batch: Sequence[Part]) -> Steps:
        """Write down what was heard, while the engine goes on."""
        for one in batch:
            yield from self._around([one])
            self._finish(one)

    def _around(self, batch: Sequence[Part]) -> Steps:
        """Half of what a segment costs besides the engine: as much before it as after it."""
        costs = self.host.costs
        yield self._cores.work(sum(one.cost(costs.instance) for one in batch) / 2, weight=self._weight)
        yield self._cores.work(sum(one.cost(costs.redis) for one in batch) / 3)
