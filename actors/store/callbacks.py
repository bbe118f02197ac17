"""The store as the courier uses it: which jobs are to be told of, when, and how that went."""

from typing import Final, cast

import redis
import redis.asyncio

from actors.records import CallbackState, Job
from actors.store import keys, scripts
from actors.store.hashes import decode_job
from actors.store.keys import JobKeys

#: Whoever begins a try has it to itself for so long; longer than any takes, which `callbacks.post` ends.
LEASE_MS: Final = 20_000

#: A try that is due for so long, while no message waits to be taken, has lost its own: if a courier died over
#: that, it would have come back by now. While a try is made none is due.
OVERDUE_MS: Final = 120_000

#: Overdue callbacks that one look finds: the others are found by the next.
_FOUND_AT_ONCE: Final = 1000


class CallbackStore:
    """Every step may run twice; a try may, too, where a courier has died over it."""

    def __init__(self, client: redis.Redis, lease_ms: int = LEASE_MS) -> None:
        self._client = client
        self._lease_ms = lease_ms
        self._begin = client.register_script(scripts.BEGIN_CALLBACK)
        self._settle = client.register_script(scripts.SETTLE_CALLBACK)

    def url(self, job_id: str) -> str:
        """Where a job is to be told of; "" for nowhere."""
        return (cast("bytes | None", self._client.hget(JobKeys.of(job_id).job, "callback")) or b"").decode()

    def begin(self, job_id: str) -> Job | int:
        """A job that is to be told of now, this try counted; else the milliseconds until then, or 0."""
        begun, early_ms = self._claim(job_id, self._lease_ms)
        if not begun:
            return early_ms
        return decode_job(self._client.hgetall(JobKeys.of(job_id).job)) or 0

    def put_off(self, job_id: str, pause_ms: int) -> int:
        """Let a try that is due be due later, uncounted; the milliseconds until then, or 0."""
        return self._claim(job_id, pause_ms, put_off=True)[1]

    def delivered(self, job_id: str) -> None:
        """Note that it was told of."""
        self._end(job_id, CallbackState.DELIVERED)

    def postpone(self, job_id: str, reason: str, pause_ms: int) -> None:
        """Note why a try failed, and how long it is until the next."""
        self._end(job_id, CallbackState.PENDING, reason, pause_ms)

    def give_up(self, job_id: str, reason: str) -> None:
        """Note that there will be no further try, and why."""
        self._end(job_id, CallbackState.FAILED, reason)

    def _claim(self, job_id: str, for_ms: int, *, put_off: bool = False) -> tuple[int, int]:
        job = JobKeys.of(job_id).job
        claimed = self._begin(keys=[job, keys.CALLBACKS], args=[job_id, for_ms, int(put_off)])
        return cast("tuple[int, int]", claimed)

    def _end(self, job_id: str, state: CallbackState, reason: str = "", pause_ms: int = 0) -> None:
        self._settle(keys=[JobKeys.of(job_id).job, keys.CALLBACKS], args=[job_id, state, reason, pause_ms])


async def overdue(client: redis.asyncio.Redis, overdue_ms: int = OVERDUE_MS) -> list[str]:
    """The jobs whose callback nobody sees to, each once in `overdue_ms`."""
    find = client.register_script(scripts.OVERDUE_CALLBACKS)
    found = cast(
        "list[bytes]",
        await find(keys=[keys.CALLBACKS], args=[keys.JOB_PREFIX, overdue_ms, _FOUND_AT_ONCE]),
    )
    return [job_id.decode() for job_id in found]
