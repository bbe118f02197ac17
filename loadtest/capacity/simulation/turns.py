"""Instances that share cores and take turns at them, as `actors/queue/take_turn.lua` has it."""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from simpy import Environment, Event

from actors.express import LEFT_TO_EXPRESS_S
from actors.records import Lane
from loadtest.capacity.simulation.hosts import Host
from loadtest.capacity.simulation.instance import Instance, Steps
from loadtest.capacity.simulation.work import Part

#: An instance that hears nothing looks all the same.
LOOK_S: Final = 1.0


class Worker(Protocol):
    """What matters of an instance when it takes a turn."""

    @property
    def is_express(self) -> bool:
        """Whether it leaves long recordings to others."""
        ...


class Turns:
    """The queue of those segments, and who calculates."""

    def __init__(self, env: Environment, host: Host, at_once: int) -> None:
        self._env = env
        self._host = host
        self._at_once = at_once
        self._waiting: dict[Lane, deque[Part]] = {lane: deque() for lane in Lane}
        self._held: dict[Worker, Lane] = {}
        self._listening: dict[Instance, Event] = {}

    def put(self, part: Part) -> None:
        """Enqueue a segment, and ring."""
        self._waiting[part.lane].append(part)
        self._ring()

    def work(self, instance: Instance) -> Steps:
        """What an instance does for ever."""
        while True:
            batch = self.take(instance)
            if not batch:
                heard = self._listening[instance] = self._env.event()
                yield heard | self._env.timeout(LOOK_S)
                self._listening.pop(instance, None)
                continue
            yield from instance.fetch(batch)
            yield from instance.recognise(batch)
            self.end(instance)
            self._env.process(instance.conclude(batch))

    def take(self, instance: Worker) -> Sequence[Part]:
        """The next batch of an instance; empty where there is no core, or nothing to do."""
        taken = [*self._held.values()]
        short, long = self._waiting[Lane.SHORT], self._waiting[Lane.LONG]
        free = self._at_once - len(taken)
        cores = self._at_once - taken.count(Lane.SHORT) if instance.is_express else free
        long_about = bool(long) or Lane.LONG in taken
        batch: list[Part] = []
        if short:
            if self._is_left_to_express(instance, short[0], long_about=long_about):
                self._ring_express()
            elif cores > 0:
                batch = self._first(short, 1 if long_about and instance.is_express else cores)
        if not batch and free > 0 and long and not instance.is_express:
            batch = self._first(long, free)
        if batch:
            self._held[instance] = batch[0].lane
            if (short or long) and len(self._held) < self._at_once:
                self._ring()
        return batch

    def end(self, instance: Worker) -> None:
        """Leave the core to whoever is next."""
        del self._held[instance]
        self._ring()

    def _ring(self) -> None:
        """Wake whoever has listened for longest."""
        for instance in [*self._listening][:1]:
            self._listening.pop(instance).succeed()

    def _ring_express(self) -> None:
        for instance in [one for one in self._listening if one.is_express][:1]:
            self._listening.pop(instance).succeed()

    def _is_left_to_express(self, instance: Worker, first: Part, *, long_about: bool) -> bool:
        if instance.is_express or not self._host.express or not long_about:
            return False
        return self._env.now - first.enqueued_s < LEFT_TO_EXPRESS_S

    def _first(self, queue: deque[Part], cores: int) -> list[Part]:
        """As many as make a batch, or this one's share of them if more cores are free."""
        limits = self._host.limits
        most = min(limits.rows, math.ceil(len(queue) / cores))
        batch, length_s = list[Part](), 0.0
        while queue and len(batch) < most:
            length_s += queue[0].audio_s
            if batch and length_s > limits.audio_s:
                break
            batch.append(queue.popleft())
        return batch
