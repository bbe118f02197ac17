"""Instances with a processor of their own: they take segments in hand and batch what has come together.

As `actors/queue/slots.py`, `DoorbellConsumer` and `actors/batcher.py` have it; that nobody is passed more
than once, where rows are padded, is left out.
"""

from collections import deque

from simpy import Environment, Event

from actors.batcher import LINGER_S, choose
from actors.express import LEFT_TO_EXPRESS_S
from actors.queue.broker import PEEK_S
from actors.records import Lane
from loadtest.capacity.simulation.hosts import Host
from loadtest.capacity.simulation.instance import Instance, Steps
from loadtest.capacity.simulation.work import Part


class Hand:
    """What an instance has taken: on its way to the engine, or waiting for it."""

    def __init__(self, env: Environment) -> None:
        self.held: set[Part] = set()
        self.unrecognised = 0
        self.ready: list[Part] = []
        #: Something came in hand, is ready, or is done with.
        self.changed = env.event()


class Hands:
    """The queue of those segments, and in whose hands they are."""

    def __init__(self, env: Environment, host: Host) -> None:
        self._env = env
        self._host = host
        self._waiting: dict[Lane, deque[Part]] = {lane: deque() for lane in Lane}
        self._listening: dict[Instance, Event] = {}

    def put(self, part: Part) -> None:
        """Enqueue a segment, and ring for one that is idle."""
        self._waiting[part.lane].append(part)
        for instance in self._listening:
            if part.lane is Lane.SHORT or not instance.is_express:
                self._listening.pop(instance).succeed()
                return

    def work(self, instance: Instance) -> Steps:
        """What an instance does for ever."""
        hand = Hand(self._env)
        self._env.process(self._recognise(instance, hand))
        left = False  # something waited when it looked last
        while True:
            lane = self._lane(instance, hand, left=left)
            if lane is not None:
                self._take(instance, hand, lane)
            elif hand.held:
                left = any(self._waiting.values())
                yield hand.changed | self._env.timeout(PEEK_S)
            else:
                heard = self._listening[instance] = self._env.event()
                yield heard

    def _lane(self, instance: Instance, hand: Hand, *, left: bool) -> Lane | None:
        """The lane to take the next segment of: an idle instance any, a busy one what others have left."""
        rows = self._host.limits.rows
        long = sum(one.lane is Lane.LONG for one in hand.held)
        if len(hand.held) >= 2 * rows:
            return None
        for lane, waiting in self._waiting.items():
            serves = lane is Lane.SHORT or (not instance.is_express and long < rows)
            if waiting and serves and (not hand.held or (left and self._may_take(instance, hand, lane))):
                return lane
        return None

    def _may_take(self, instance: Instance, hand: Hand, lane: Lane) -> bool:
        """Whether a busy instance has less than its share."""
        waiting = self._waiting[lane]
        long = sum(one.lane is Lane.LONG for one in hand.held)
        leaves = lane is Lane.SHORT and long and self._host.express and not instance.is_express
        if leaves and self._env.now - waiting[0].enqueued_s < LEFT_TO_EXPRESS_S:
            return False
        taken = len(hand.held) - (long if lane is Lane.SHORT else 0)
        return taken * self._host.instances < taken + len(waiting)

    def _take(self, instance: Instance, hand: Hand, lane: Lane) -> None:
        one = self._waiting[lane].popleft()
        hand.held.add(one)
        hand.unrecognised += 1
        self._env.process(self._bring(instance, hand, one))

    def _bring(self, instance: Instance, hand: Hand, one: Part) -> Steps:
        yield from instance.fetch([one])
        hand.ready.append(one)
        self._tell(hand)

    def _tell(self, hand: Hand) -> None:
        told, hand.changed = hand.changed, self._env.event()
        told.succeed()

    def _recognise(self, instance: Instance, hand: Hand) -> Steps:
        while True:
            if not hand.ready:
                while not hand.ready:
                    yield hand.changed
                late = self._env.timeout(LINGER_S)
                while len(hand.ready) < hand.unrecognised and not late.processed:
                    yield hand.changed | late
            parts = {one.request: one for one in hand.ready}
            batch = [parts[request] for request in choose(list(parts), self._host.limits)]
            hand.ready = [one for one in hand.ready if one not in batch]
            yield from instance.recognise(batch)
            hand.unrecognised -= len(batch)
            self._env.process(self._conclude(instance, hand, batch))

    def _conclude(self, instance: Instance, hand: Hand, batch: list[Part]) -> Steps:
        for one in batch:
            yield from instance.conclude([one])
            hand.held.discard(one)
            self._tell(hand)
