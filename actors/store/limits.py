"""What may wait at once: the limits that an upload meets before it is taken in."""

import enum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from actors.clock import now_ms
from actors.settings import Settings
from actors.store import keys


class Limit(enum.StrEnum):
    """A limit that can be in the way of an upload."""

    #: Audio that waits for recognition.
    BACKLOG = "backlog"
    #: The time that the audio before it will take, for an upload whose answer somebody waits for.
    WAIT = "wait"
    #: Audio kept in Redis.
    SPOOL = "spool"
    #: Uploads of a caller in a minute.
    RATE = "rate"
    #: Jobs of a caller that have not ended.
    JOBS = "jobs"


class LimitReached(Exception):
    """A limit is in the way of an upload; at the speed of late it may have passed after `wait_ms`."""

    def __init__(self, limit: Limit, wait_ms: int) -> None:
        super().__init__(f"{limit}, for {wait_ms} ms")
        self.limit = limit
        self.wait_ms = wait_ms


#: A request is taken in if it will wait for at most this share of its time-out, so that it is answered in
#: time even where the speed falls to as much.
WAIT_SHARE: Final = 1 / 3


class Quota(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a caller may, where that is not what is set for all; 0 is as much as one likes."""

    uploads_per_minute: Annotated[int, Meta(ge=0, le=60_000)] | None = None
    jobs: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


#: What the operator has set holds.
NO_QUOTA: Final = Quota()


class Limits(Struct, frozen=True, kw_only=True):
    """How much may wait; 0 milliseconds, uploads a minute or jobs are as many as one likes."""

    spool_bytes: int
    backlog_ms: int
    wait_ms: int = 0
    uploads_per_minute: int = 0
    jobs: int = 0

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits that the operator has set."""
        return cls(
            spool_bytes=settings.max_spool_mb << 20,
            backlog_ms=settings.max_backlog_s * 1000,
            wait_ms=round(settings.request_timeout_s * 1000 * WAIT_SHARE),
            uploads_per_minute=settings.key_uploads_per_minute,
            jobs=settings.key_jobs,
        )

    def within(self, quota: Quota, *, waited_for: bool) -> "Limits":
        """Those of a caller who has this quota, for an upload whose answer somebody waits for or not."""
        own = {name: most for name, most in msgspec.structs.asdict(quota).items() if most is not None}
        return msgspec.structs.replace(self, wait_ms=self.wait_ms if waited_for else 0, **own)

    def keys(self, caller: str, key: str | None) -> list[str]:
        """The keys that `limits.lua` names."""
        lanes = [keys.BACKLOG_SHORT, keys.BACKLOG_LONG]
        own = [keys.active(caller), keys.rate(caller), keys.named(key)]
        return [keys.SPOOL, *lanes, keys.SPEED, *own]

    def args(self, upload_bytes: int, shortest_ms: int) -> list[str | int]:
        """The arguments that `limits.lua` names."""
        set_by_us = [self.spool_bytes, self.backlog_ms, self.wait_ms, self.uploads_per_minute, self.jobs]
        return [upload_bytes, shortest_ms, now_ms(), *set_by_us, keys.JOB_PREFIX]
