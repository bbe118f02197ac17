"""How a job ends, whoever ends it: what `end_job.lua` is told."""

from typing import Final

import msgspec
from msgspec import Struct

from actors.clock import now_ms
from actors.records import JobState
from actors.store import keys
from actors.store.keys import JobKeys

#: What the script returns of a job that whoever handed it in is to be told of.
TO_BE_TOLD: Final = 2


class Ending(Struct, frozen=True):
    """The end of a job: its state, and its transcript as JSON or its error with an HTTP status."""

    job_id: str
    state: JobState
    transcript: bytes = b""
    error: str = ""
    error_status: int = 0

    @property
    def keys(self) -> list[str]:
        """The keys of the script."""
        of = msgspec.structs.astuple(JobKeys.of(self.job_id))
        sets = [keys.SPOOL, keys.RUNNING, keys.QUEUED, keys.STATS]
        return [*of, *sets, keys.BACKLOG_SHORT, keys.BACKLOG_LONG, keys.CALLBACKS]

    def args(self, ttl_s: int) -> list[str | int | bytes]:
        """The arguments of the script; what is kept is kept for `ttl_s`."""
        return [
            self.job_id,
            self.state.value,
            self.error,
            self.error_status,
            self.transcript,
            now_ms(),
            ttl_s,
            keys.EVENTS,
            keys.results(self.job_id),
            keys.NAMED_PREFIX,
            keys.ACTIVE_PREFIX,
        ]
