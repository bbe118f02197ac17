"""Turns at the cores that instances share: only as many calculate at once as there are cores for.

What waits stays in the queue until there is a core for it, and is then taken as one batch, which grows by
itself with what waits. So no message is stuck in a process that waits for a core, and no small batch is
calculated beside others.
"""

import time
from collections import deque
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

import redis
from dramatiq import Message
from msgspec import Struct

from actors.queue.broker import EXPRESS_BELL, NAMESPACE, RINGS_KEPT, queue_keys
from actors.queue.messages import RECOGNIZE, lane, queue, queues
from actors.queue.slots import Slots
from actors.records import Lane

#: Whoever has not kept its turn for this long has lost it: it is dead, and another one has the core.
LEASE_MS: Final = 4_000

_QUEUES: Final = queues(RECOGNIZE)

_FOLDER: Final = Path(__file__).parent

#: The bell of some cores outlives their machine by so much.
BELL_KEPT_S: Final = 3600


class Rules(Struct, frozen=True, kw_only=True):
    """How an instance takes turns."""

    #: What those call them who share them.
    cores: str
    #: So many of them calculate at once.
    at_once: int
    #: Most messages of a batch, and seconds of audio.
    rows: int
    audio_s: float
    #: Whether it leaves long recordings to others, and need not wait for these.
    express: bool


class Turns:
    """Those of one instance, which has one at a time.

    Args:
        client: connection to the database of the queues.
        rules: how it takes turns.
    """

    def __init__(self, client: redis.Redis, rules: Rules) -> None:
        self._rules = rules
        self._holder = uuid4().hex
        #: Those at short messages, and those at long ones.
        self._held = [f"{NAMESPACE}:turns.{rules.cores}.{lane}" for lane in Lane]
        self._cores_bell = f"{NAMESPACE}:turns.{rules.cores}.bell"
        #: Whether there is work but no core: the last look found none, or it is the turn of another one.
        self._waits_for_core = False
        self._take, self._keep, self._end = (
            client.register_script((_FOLDER / f"{name}_turn.lua").read_text())
            for name in ("take", "keep", "end")
        )
        #: What was taken, and is not being worked on yet.
        self.taken = deque[Message[Any]]()
        #: When the present turn began, if there is one.
        self.since_s: float | None = None

    def bells(self, *, serves_long: bool) -> list[str]:
        """Where to listen between two turns; where several ring, the first one is heard."""
        express = [EXPRESS_BELL] if self._rules.express else []
        if self._waits_for_core:
            return [self._cores_bell, *express]
        lanes = (Lane.SHORT, Lane.LONG) if serves_long else (Lane.SHORT,)
        return [*(queue_keys(queue(RECOGNIZE, one))[-1] for one in lanes), *express]

    def take(self, worker: str, slots: Slots) -> None:
        """Take a turn, and what makes a batch; neither when there is no core, or nothing to do.

        `worker` is the name that Dramatiq knows this process by.
        """
        keys = [*self._held, self._cores_bell, EXPRESS_BELL, f"{NAMESPACE}:__heartbeats__"]
        for name in _QUEUES:
            keys += [*queue_keys(name), f"{NAMESPACE}:__acks__.{worker}.{name}"]
        args: list[str | int] = [
            self._holder,
            worker,
            LEASE_MS,
            self._rules.at_once,
            min(self._rules.rows, slots.room()),
            round(self._rules.audio_s * 1000),
            int(self._rules.express),
            int(slots.serves_long),
            round(slots.leaves_short_s * 1000),
            RINGS_KEPT,
            BELL_KEPT_S,
        ]
        none, *found = cast("tuple[int, *tuple[bytes, ...]]", self._take(keys=keys, args=args))
        self._waits_for_core = bool(none)
        for data in found:
            self.since_s = time.monotonic()
            message = Message.decode(data)
            # What is in hand and comes back after an outage is the same work: its end settles both.
            if slots.admit(lane(message.queue_name), message.options["redis_message_id"]):
                self.taken.append(message)

    def keep(self) -> None:
        """Say that the present turn goes on."""
        self._keep(keys=self._held, args=[self._holder, LEASE_MS])

    def end(self) -> None:
        """Leave the core to whoever is next."""
        keys = [*self._held, self._cores_bell, *(queue_keys(name)[0] for name in _QUEUES)]
        self._waits_for_core = bool(self._end(keys=keys, args=[self._holder, RINGS_KEPT, BELL_KEPT_S]))
        self.since_s = None
