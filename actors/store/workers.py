"""What the workers say of themselves, and what the instances have done, in Redis."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import cast

import msgspec
import redis
import redis.asyncio
from msgspec import Struct
from redis.client import Pipeline

from actors.names import WorkerKind, WorkerName
from actors.records import WorkerReport, WorkerState
from actors.store import keys, scripts

#: A worker reports this often.
HEARTBEAT_S = 2.0

#: Without a report for this long a worker counts as lost.
LOST_AFTER_MS = 10_000

#: A lost worker is no longer listed after this long: it was taken away, not killed.
UNLISTED_AFTER_MS = 300_000

#: After this long nobody comes back under its name, if that has a host.
FORGOTTEN_AFTER_MS = 3_600_000

#: What all forgotten ones are called together.
ALL_GONE = "gone"

_encoder = msgspec.json.Encoder()
_reports = msgspec.json.Decoder(WorkerReport)


class Tries(Struct, frozen=True, kw_only=True):
    """Tries of an instance at segments; its counters hold them since Redis was first started."""

    succeeded: int = 0
    failed: int = 0
    audio_ms: int = 0
    busy_ms: int = 0


class Pool(Struct, frozen=True, kw_only=True):
    """All workers as Redis knows them, by name."""

    instances: dict[str, WorkerReport]
    segmenters: dict[str, WorkerReport]
    counters: dict[str, Tries]
    #: The instances whose engine is at work.
    busy: frozenset[str]
    #: State → how many jobs have ended in it.
    jobs: dict[str, int]
    #: Worker → how often a process of it has ended without being told to.
    deaths: dict[str, int] = {}
    #: The tries of all instances that are forgotten.
    gone: Tries = Tries()


class WorkerRegistry:
    """How a worker reports; synchronous."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def report(self, report: WorkerReport) -> WorkerReport | None:
        """Say how the worker is; what was said before under its name."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hget(keys.WORKERS, report.name)
            pipe.hset(keys.WORKERS, report.name, _encoder.encode(report))
            before = cast("bytes | None", pipe.execute()[0])
        return _reports.decode(before) if before else None

    def arrive(self, name: str, *, predecessor_died: bool) -> None:
        """Say that the worker has started: what its predecessor was busy with when it died is not its own.

        Its death is counted, once for each successor.
        """
        with self._client.pipeline() as pipe:
            pipe.srem(keys.BUSY, name)
            pipe.zrem(keys.GONE, name)
            if predecessor_died:
                pipe.hincrby(keys.STATS, f"{name}:deaths")
            pipe.execute()

    def last_report(self, name: str) -> WorkerReport | None:
        """What was said last under this name, unless that worker has left."""
        report = cast("bytes | None", self._client.hget(keys.WORKERS, name))
        return _reports.decode(report) if report else None

    def heard_lately(self, names: AbstractSet[str]) -> dict[str, WorkerReport]:
        """What is kept of those of these names that were heard of lately, by the clock of Redis."""
        seconds, _ = self._client.time()
        stored = cast("list[bytes]", self._client.hvals(keys.WORKERS))
        reports = {report.name: report for report in map(_reports.decode, stored) if report.name in names}
        return {
            name: report
            for name, report in reports.items()
            if seconds * 1000 - report.beat_ms <= LOST_AFTER_MS
        }

    def ready_instances(self, at_ms: int) -> list[WorkerReport]:
        """What the instances of all hosts say that are ready, and were heard of lately."""
        stored = cast("list[bytes]", self._client.hvals(keys.WORKERS))
        reports = (_reports.decode(report) for report in stored)
        return [
            report
            for report in reports
            if report.state is WorkerState.READY
            and WorkerName.parse(report.name).kind is WorkerKind.INSTANCE
            and at_ms - report.beat_ms <= LOST_AFTER_MS
        ]

    def leave(self, name: str, at_ms: int) -> None:
        """Say that the worker has stopped as it was told to."""
        with self._client.pipeline() as pipe:  # all or nothing, or it would never be forgotten
            pipe.hdel(keys.WORKERS, name)
            pipe.srem(keys.BUSY, name)
            if WorkerName.parse(name).node:
                pipe.zadd(keys.GONE, {name: at_ms})
            pipe.execute()

    def begin_recycling(self, name: str, lease_s: int) -> bool:
        """Whether this instance, or a rolling restart, may take workers away: one at a time, by a lease."""
        if self._client.set(keys.RECYCLED, name, nx=True, ex=lease_s):
            return True
        return self._client.get(keys.RECYCLED) == name.encode()  # sent twice, as the answer was lost

    def end_recycling(self, name: str) -> None:
        """Say that all are back, if it is this one that took them away."""
        if self._client.get(keys.RECYCLED) == name.encode():
            self._client.delete(keys.RECYCLED)

    def busy(self, name: str, add: Callable[[Pipeline], None] = lambda _: None) -> None:
        """Say that the instance's engine is at work, and what `add` adds, in one transaction."""
        with self._client.pipeline() as pipe:
            add(pipe)
            pipe.sadd(keys.BUSY, name)
            pipe.execute()

    def count(self, name: str, tries: Tries, *, idle: bool) -> None:
        """Add tries to the instance's counters, and say whether it is idle again."""
        with self._client.pipeline(transaction=False) as pipe:
            for counter, value in msgspec.structs.asdict(tries).items():
                pipe.hincrby(keys.STATS, f"{name}:{counter}", value)
            if idle:
                pipe.srem(keys.BUSY, name)
            pipe.execute()


def count_on(node: str, reports: Iterable[WorkerReport]) -> int:
    """How many of them come from this host."""
    return sum(WorkerName.parse(report.name).node == node for report in reports)


async def read_pool(client: redis.asyncio.Redis, now_ms: int) -> Pool:
    """All workers heard of lately, the counters of the instances, and those of jobs."""
    async with client.pipeline(transaction=False) as pipe:
        pipe.hgetall(keys.WORKERS)
        pipe.hgetall(keys.STATS)
        pipe.smembers(keys.BUSY)
        workers, stats, busy = cast("list[dict[bytes, bytes]]", await pipe.execute())
    known = (_reports.decode(report) for report in workers.values())
    heard = {
        WorkerName.parse(report.name): report
        for report in known
        if now_ms - report.beat_ms < UNLISTED_AFTER_MS
    }
    counters = _counters(stats)
    jobs, gone = counters.pop("jobs", {}), counters.pop(ALL_GONE, {})
    deaths = {name: values["deaths"] for name, values in counters.items() if "deaths" in values}
    return Pool(
        instances=_of_kind(WorkerKind.INSTANCE, heard),
        segmenters=_of_kind(WorkerKind.SEGMENTER, heard),
        counters={
            name: msgspec.convert(values, Tries)
            for name, values in counters.items()
            if WorkerName.parse(name).kind is WorkerKind.INSTANCE
        },
        busy=frozenset(name.decode() for name in busy),
        jobs=jobs,
        deaths=deaths | ({ALL_GONE: gone["deaths"]} if "deaths" in gone else {}),
        gone=msgspec.convert(gone, Tries),
    )


async def forget_gone(client: redis.asyncio.Redis) -> int:
    """Forget the workers of hosts that have gone for good, however many come and go; how many they were."""
    script = client.register_script(scripts.FORGET)
    forgotten: int = await script(
        keys=[keys.WORKERS, keys.BUSY, keys.GONE, keys.STATS], args=[FORGOTTEN_AFTER_MS, ALL_GONE]
    )
    return forgotten


def _counters(stats: Mapping[bytes, bytes]) -> dict[str, dict[str, int]]:
    counters: dict[str, dict[str, int]] = {}
    for field, value in stats.items():
        name, _, counter = field.decode().rpartition(":")
        counters.setdefault(name, {})[counter] = int(value)
    return counters


def _of_kind(kind: WorkerKind, heard: Mapping[WorkerName, WorkerReport]) -> dict[str, WorkerReport]:
    return {str(name): heard[name] for name in sorted(heard) if name.kind is kind}
