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

from actors.queue.messages import RECOGNIZE, lane, queue
from actors.queue.slots import Slots
from actors.records import Lane

#: Whoever has not kept its turn for this long has lost it: it is dead, and another one has the core.
LEASE_MS: Final = 4_000

_FOLDER: Final = Path(__file__).parent


class Rules(Struct, frozen=True, kw_only=True):
    """How an instance takes turns."""

    #: What those who share cores have in common.
    host: str
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
        namespace: of the keys there.
        rules: how it takes turns.
    """

    def __init__(self, client: redis.Redis, namespace: str, rules: Rules) -> None:
        self._rules = rules
        self._namespace = namespace
        self._holder = uuid4().hex
        self._held = {lane: f"{namespace}:turns.{rules.host}.{lane}" for lane in Lane}
        self._queues = {lane: f"{namespace}:{queue(RECOGNIZE, lane)}" for lane in Lane}
        self._host_bell = f"{namespace}:turns.{rules.host}.bell"
        self._express_bell = f"{namespace}:{RECOGNIZE}-express.bell"
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
        express = [self._express_bell] if self._rules.express else []
        if self._waits_for_core:
            return [self._host_bell, *express]
        lanes = (Lane.SHORT, Lane.LONG) if serves_long else (Lane.SHORT,)
        return [*(f"{self._queues[one]}.bell" for one in lanes), *express]

    def take(self, worker: str, slots: Slots) -> None:
        """Take a turn, and what makes a batch; neither when there is no core, or nothing to do.

        `worker` is the name that Dramatiq knows this process by.
        """
        heartbeats = f"{self._namespace}:__heartbeats__"
        keys = [*self._held.values(), self._host_bell, self._express_bell, heartbeats]
        for one in Lane:
            waiting = self._queues[one]
            acks = f"{self._namespace}:__acks__.{worker}.{queue(RECOGNIZE, one)}"
            keys += [waiting, f"{waiting}.msgs", f"{waiting}.bell", acks]
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
        self._keep(keys=list(self._held.values()), args=[self._holder, LEASE_MS])

    def end(self) -> None:
        """Leave the core to whoever is next."""
        keys = [*self._held.values(), self._host_bell, *self._queues.values()]
        self._waits_for_core = bool(self._end(keys=keys, args=[self._holder]))
        self.since_s = None
