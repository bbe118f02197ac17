"""Dramatiq's Redis broker, with consumers that wait at a doorbell instead of polling.

The stock consumer sleeps up to a second when its queue is empty. Here every enqueue also pushes onto
a list, the doorbell, on which idle consumers block: pick-up takes a round trip.
"""

import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer, _scripts
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Middleware
from redis.retry import Retry
from typing_extensions import override

from actors.clock import offset_ms
from actors.queue import messages
from actors.queue.slots import Slots
from actors.records import Lane

#: A worker that has not been heard of for this long is dead, and its messages go back to their queues.
#: Consumers are heard of every second; the rest is room for a native call that holds the GIL.
HEARTBEAT_TIMEOUT_MS: Final = 12_000

#: Every command looks for dead workers (out of a million); it costs two ZRANGEBYSCORE.
MAINTENANCE_CHANCE: Final = 1_000_000

#: Rejected messages are kept this long for inspection.
DEAD_MESSAGE_TTL_MS: Final = 86_400_000

#: The doorbell holds at most this many rings: what is missed then is seen by the consumers awake anyway.
RINGS_KEPT: Final = 64

#: Pause of a process with work in hand before it looks for more.
PEEK_S: Final = 0.05


#: As Dramatiq enqueues, and a ring. Dead workers are looked for by those who fetch.
#: KEYS: queue, messages, bell   ARGV: id, message, rings kept
ENQUEUE: Final = """
redis.call("HSET", KEYS[2], ARGV[1], ARGV[2])
redis.call("RPUSH", KEYS[1], ARGV[1])
redis.call("RPUSH", KEYS[3], "")
redis.call("LTRIM", KEYS[3], 0, ARGV[3] - 1)
"""


#: Dramatiq tells who is dead by the clock of whoever asks. Where that of another host differs, the living
#: would lose their messages: here it goes by that of Redis.
_ITS_TIME: Final = b"local timestamp = ARGV[2]"
_TIME_OF_REDIS: Final = b"""
local time = redis.call("TIME")
local timestamp = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_DISPATCH: Final = _scripts["dispatch"].replace(_ITS_TIME, _TIME_OF_REDIS)


#: What all keys of Dramatiq start with.
NAMESPACE: Final = "dramatiq"

#: Rings for the express instances of all hosts: something short is left to them.
EXPRESS_BELL: Final = f"{NAMESPACE}:{messages.RECOGNIZE}-express.bell"


def queue_keys(queue_name: str) -> list[str]:
    """The keys of a queue, its messages and its doorbell."""
    queue = f"{NAMESPACE}:{queue_name}"
    return [queue, f"{queue}.msgs", f"{queue}.bell"]


def enqueuing(queue_name: str, message_id: str, message: bytes) -> tuple[list[str], list[str | bytes | int]]:
    """The keys and the arguments of `ENQUEUE` for a message."""
    return queue_keys(queue_name), [message_id, message, RINGS_KEPT]


class DoorbellBroker(RedisBroker):
    """Enqueues with a ring; its consumers fetch only what a free thread of the process can start.

    Args:
        client: connection to the database of the queues, one that fails at once.
        retry: how patiently to enqueue; a message enqueued twice does no harm.
        slots: the free threads, in a process that consumes.
        express: whether short messages are left to this process.
        middleware: hooks around the actors.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        retry: Retry | None = None,
        slots: Slots | None = None,
        express: bool = False,
        middleware: list[Middleware] | None = None,
    ) -> None:
        super().__init__(
            client=client,
            namespace=NAMESPACE,
            middleware=middleware or [],
            heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
            maintenance_chance=MAINTENANCE_CHANCE,
            dead_message_ttl=DEAD_MESSAGE_TTL_MS,
        )
        self.slots = slots or Slots(1)
        self._express = express
        self._retry = retry
        self._enqueue_and_ring = client.register_script(ENQUEUE)
        self.scripts["dispatch"] = client.register_script(_DISPATCH)

    @property
    @override
    def consumer_class(self) -> type["DoorbellConsumer"]:
        return DoorbellConsumer

    @override
    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        def enqueue() -> dramatiq.Message[Any]:
            # When it is due is reckoned by the clock of Redis: who takes it may be on another host.
            due = None if delay is None else delay + offset_ms()
            queued: dramatiq.Message[Any] = super(DoorbellBroker, self).enqueue(message, delay=due)
            return queued

        if self._retry is None:
            return enqueue()
        try:
            return self._retry.call_with_retry(enqueue, lambda _: None)
        except redis.RedisError:
            # Dramatiq would acknowledge the message that this one was to follow: let it come back instead.
            self.start_anew()
            raise

    def do_enqueue(self, queue_name: str, message_id: str, message: bytes) -> None:
        """Append a message to its queue and ring; what `enqueue` ends with."""
        names, values = enqueuing(queue_name, message_id, message)
        self._enqueue_and_ring(keys=names, args=values)

    def bell(self, queue_name: str) -> str:
        """The key of a queue's doorbell."""
        return queue_keys(queue_name)[-1]

    def bells(self, queue_name: str) -> list[str]:
        """Where to listen for messages of a queue."""
        is_left = self._express and queue_name == messages.queue(messages.RECOGNIZE, Lane.SHORT)
        return [self.bell(queue_name), *([EXPRESS_BELL] if is_left else [])]

    def waiting(self, queue_name: str) -> int:
        """How many messages nobody has taken yet."""
        return int(self.client.llen(f"{self.namespace}:{queue_name}"))

    def return_messages(self, queue_names: list[str]) -> int:
        """Put what this process still has in hand back into its queues, for another one to take."""
        in_hand = self.slots.in_hand()
        for queue_name in queue_names:
            self.do_requeue(queue_name, *in_hand)
        return len(in_hand)

    def start_anew(self) -> None:
        """Take another name: whatever Redis and this process may disagree about is under the old one.

        It comes back once that name's heartbeat has timed out. What is in hand comes back too, and is
        then found to be finished. Every error of Redis leads here.
        """
        self.broker_id = str(uuid4())


class DoorbellConsumer(_RedisConsumer):
    """Waits for a free thread, then for a message.

    A process that shares its queues and has work in hand does not wait at the doorbell: the ring is for
    those that are idle. It looks whenever it is done with a message, and every `PEEK_S`, and takes its
    share of what they have left.
    """

    broker: DoorbellBroker

    #: It has heard a ring, and not looked yet what for.
    _rung = False

    #: Since when something has waited whenever a busy process looked: if anybody was idle, it would be gone.
    _left_since_s: float | None = None

    @override
    def __next__(self) -> dramatiq.MessageProxy | None:
        try:
            if self.queue_name.endswith(".DQ"):
                return self._next_delayed()
            return self._next_ready()
        except redis.RedisError as error:
            self.broker.start_anew()
            raise ConnectionClosed(error) from None

    @override
    def ack(self, message: dramatiq.MessageProxy) -> None:
        self._settle(super().ack, message)

    @override
    def nack(self, message: dramatiq.MessageProxy) -> None:
        self._settle(super().nack, message)

    def _settle(
        self, settle: Callable[[dramatiq.MessageProxy], None], message: dramatiq.MessageProxy
    ) -> None:
        try:
            settle(message)
        except redis.RedisError as error:
            self.broker.start_anew()
            raise ConnectionClosed(error) from None
        finally:
            self.broker.slots.release(message.options["redis_message_id"])

    def _next_ready(self) -> dramatiq.MessageProxy | None:
        lane, slots = messages.lane(self.queue_name), self.broker.slots
        rung, self._rung = self._rung, False
        if not slots.reserve(lane, 0 if rung else self.timeout / 1000):
            self._leave(ring_again=rung)
            return None
        # Only now: while this slot is reserved the process does not cease to be idle by the other lane.
        busy = slots.shared and not slots.idle()
        try:
            found = [] if busy and (rung or not self._may_take(lane)) else self._fetch(1)
        except BaseException:
            slots.cancel(lane)
            raise
        if found:
            # What is in hand and comes back after an outage is the same work: its end settles both.
            return found[0] if slots.hold(lane, found[0].options["redis_message_id"]) else None
        slots.cancel(lane)
        if busy:
            self._leave(ring_again=rung)
        else:
            self._rung = self._wait_for_ring()
        return None

    def _may_take(self, lane: Lane) -> bool:
        """Whether the busy process may have one of those that wait, and that nobody idle has taken."""
        waiting = self.broker.waiting(self.queue_name)
        now_s = time.monotonic()
        since_s, self._left_since_s = self._left_since_s, None
        if not waiting:
            return False
        self._left_since_s = now_s if since_s is None else since_s
        return since_s is not None and self.broker.slots.may_take(lane, waiting, now_s - since_s)

    def _leave(self, *, ring_again: bool) -> None:
        """Leave what waits to others for now, and pass the ring on that was heard here."""
        self._fetch(0)  # a heartbeat
        if ring_again:
            self._ring_again()
        self.broker.slots.wait_for_release(PEEK_S)

    def _next_delayed(self) -> dramatiq.MessageProxy | None:
        found = self._fetch(1)
        if not found:
            self._wait_for_ring()
            return None
        found[0].options["eta"] -= offset_ms()
        return found[0]

    def _fetch(self, count: int) -> list[dramatiq.MessageProxy]:
        fetched = self.broker.do_fetch(self.queue_name, count)
        return [dramatiq.MessageProxy(dramatiq.Message.decode(data)) for data in fetched if data is not None]

    def _wait_for_ring(self) -> bool:
        bells = self.broker.bells(self.queue_name)
        rung = self.broker.client.blpop(bells, self.timeout / 1000) is not None
        if rung and self.broker.slots.closed:
            self._ring_again()  # this process has been told to stop meanwhile
            return False
        return rung

    def _ring_again(self) -> None:
        self.broker.client.rpush(self.broker.bell(self.queue_name), "")
