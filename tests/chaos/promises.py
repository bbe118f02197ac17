"""What must be true once the users have gone: nothing was done twice, and nothing is left."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol, cast

import msgspec
import psutil
import redis

from actors.store import keys
from deploy import leftovers
from tests.chaos.target import Target

#: What lives on when no job does: keys, or beginnings of keys.
_KEPT: Final = {
    keys.JOBS,
    keys.STATS,
    keys.METRICS,
    keys.SNAPSHOTS,
    keys.ALERTS,
    keys.WORKERS,
    keys.LOGS,
    keys.SPEED,
}
_KEPT_OF: Final = (keys.JOBS_PREFIX, keys.NAMED_PREFIX, "asr:flushed:")

#: Hashes whose field `total` is left.
_TOTALS: Final = {keys.SPOOL, keys.BACKLOG_SHORT, keys.BACKLOG_LONG}

#: What an ended job leaves, beside its record.
_TRANSCRIPT: Final = "transcript"

#: More descriptors than a process had before the faults: connections of a pool come and go.
MORE_DESCRIPTORS: Final = 16


class Inside(Protocol):
    """Where a service keeps things."""

    @property
    def state(self) -> Path:
        """Below it lie the logs, of all its hosts."""
        ...

    def jobs(self) -> redis.Redis:
        """A connection to the database of the jobs."""
        ...

    def queues(self) -> redis.Redis:
        """A connection to the database of the queues."""
        ...


def leaked_keys(target: Inside) -> list[str]:
    """The keys in Redis that should have gone with their jobs."""
    with target.jobs() as jobs, target.queues() as queues:
        return [*_of_jobs(jobs), *_of_queues(queues)]


def _of_jobs(client: redis.Redis) -> Iterator[str]:
    for key in client.scan_iter(count=1000):
        if key in _KEPT or key.startswith(_KEPT_OF):
            continue
        if key in _TOTALS:
            if client.hgetall(key) != {"total": "0"}:
                yield key
        elif key.startswith(keys.JOB_PREFIX):
            _, _, part = key.removeprefix(keys.JOB_PREFIX).partition(":")
            if part and part != _TRANSCRIPT:
                yield key
        else:
            yield key


def _of_queues(client: redis.Redis) -> Iterator[str]:
    for key in client.scan_iter(count=1000):
        if not key.endswith((".bell", "__heartbeats__")) and ":turns." not in key:
            yield key


def ended_twice(target: Inside) -> list[str]:
    """Jobs whose end was logged more than once, be it in the files or in the stream."""
    lines = {line for file in target.state.glob("**/logs/*.log*") for line in _lines(file.read_bytes())}
    with target.jobs() as client:
        kept = cast("list[tuple[str, dict[str, str]]]", client.xrange(keys.LOGS))
        lines |= {line for _, fields in kept for line in _lines(fields["event"].encode())}
    ends = Counter(job for job, _ in lines)
    return [job for job, times in ends.items() if times > 1]


class _Ended(msgspec.Struct):
    event: str = ""
    job: str = ""
    timestamp: str = ""


def _lines(text: bytes) -> Iterator[tuple[str, str]]:
    """The job and the time of each event that says that one has ended."""
    for line in text.splitlines():
        if b'"job.ended"' in line:
            try:
                event = msgspec.json.decode(line, type=_Ended)
            except msgspec.DecodeError:  # cut off by a full disk
                continue
            if event.event == "job.ended":
                yield event.job, event.timestamp


def descriptors(target: Target) -> dict[str, int]:
    """How many each process has open, supervisord's too."""
    return {name: psutil.Process(pid).num_fds() for name, pid in target.pids().items()}


def leaked_descriptors(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """The processes that have many more open than before."""
    return [
        f"{name} has {after[name]} descriptors, {number} before"
        for name, number in before.items()
        if after.get(name, 0) > number + MORE_DESCRIPTORS
    ]


def left_behind(target: Target) -> list[str]:
    """Processes and files of a service that was stopped."""
    processes = [f"process {process.pid}" for process in leftovers.find(target.service.home)]
    files = [str(path) for path in (target.state / "run", *target.temporary.iterdir()) if path.exists()]
    return processes + files
