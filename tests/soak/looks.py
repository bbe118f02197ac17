"""What the service holds at a moment at which nothing is to be done."""

from collections import defaultdict
from pathlib import Path
from typing import Final

from actors.settings import Settings
from actors.store.connection import broker_url, connect, jobs_url
from deploy import running
from loadtest.bench.services import Service

#: Figure → value; a figure is named by where and what, as `instance rss_mb`: that of all instances together,
#: as it is chance which of them has the largest batches.
Look = dict[str, float]

#: Where the service writes, in its checkout.
FOLDERS: Final = {
    "logs": ".quintet/logs",
    "monitoring": "monitoring_logs",
    "append-only file": ".quintet/redis",
}


def look(service: Service) -> Look:
    """Memory, descriptors and threads of the processes of each kind, what Redis keeps, and the disk."""
    seen: Look = defaultdict(float)
    for name, (process, *_) in sorted(service.programs().items()):
        kind = name.partition("-")[0]
        with process.oneshot():
            memory = process.memory_info()
            seen[f"{kind} rss_mb"] += memory.rss / 2**20
            # Not what no other process has: that others use the same libraries is none of its doing.
            seen[f"{kind} anonymous_mb"] += (memory.rss - getattr(memory, "shared", 0)) / 2**20
            seen[f"{kind} descriptors"] += process.num_fds()
            seen[f"{kind} threads"] += process.num_threads()
    seen["processes"] = sum(len(processes) for processes in service.programs().values())
    seen |= _redis(service)
    for name, folder in FOLDERS.items():
        seen[f"{name} disk_mb"] = _bytes(service.home / folder) / 2**20
    seen["other disk_mb"] = _bytes(service.home, but=(*FOLDERS.values(), ".venv", ".quintet/weights")) / 2**20
    return seen


def _redis(service: Service) -> Look:
    known = running.read(service.home / ".quintet" / "run" / running.RECORD.name)
    assert known is not None, "the service runs"
    config = Settings(redis_url=known.redis_url)
    with connect(jobs_url(config)) as jobs, connect(broker_url(config)) as queues:
        jobs.execute_command("MEMORY", "PURGE")
        return {
            "redis used_mb": jobs.info("memory")["used_memory"] / 2**20,
            "redis keys of jobs": jobs.dbsize(),
            "redis keys of queues": queues.dbsize(),
        }


def _bytes(folder: Path, but: tuple[str, ...] = ()) -> int:
    left_out = {folder / name for name in but}
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not left_out & set(path.parents)
    )
