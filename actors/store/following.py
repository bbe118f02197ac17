"""The store as the followers of jobs use it: where jobs stand, page by page, and what has been heard."""

import itertools
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
import redis.asyncio
from msgspec import Struct

from actors import results
from actors.records import Job, JobState, Line, Segment
from actors.store import keys
from actors.store.hashes import decode_job
from actors.store.keys import JobKeys

#: Segments of a running job that are read at once.
LINES_AT_ONCE: Final = 32

#: Jobs looked at for one page, and at once: few may be in the state that is asked for.
_LOOKED_AT: Final = 1000
_LOOKED_AT_ONCE: Final = 100

_spans: Final = msgspec.json.Decoder(tuple[int, int])


class Standing(Struct, frozen=True):
    """A job, and its position among those that wait for a segmenter, from 1; None once one has taken it."""

    job: Job
    position: int | None

    @property
    def taken_in(self) -> bool:
        """Whether its upload has been stored and it has been enqueued, as far as that is known."""
        return self.job.state is not JobState.QUEUED or self.position is not None


class Page(Struct, frozen=True):
    """Some jobs, newest first, and where the next page begins; None after the last."""

    standings: tuple[Standing, ...]
    next: int | None


class JobFollower:
    """Asynchronous; only reads."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    async def standing(self, job_id: str) -> Standing | None:
        """Where a job stands; None when there is none (any more)."""
        return (await self._standings([job_id]))[0]

    async def page(
        self, caller: str, most: int, state: JobState | None = None, before: int | None = None
    ) -> Page:
        """At most so many jobs of a caller, of one state or of any, that came before a place in the index.

        There may be fewer than `most`, or none, though further pages follow.
        """
        count = most if state is None else _LOOKED_AT_ONCE
        found: list[Standing] = []
        for _ in range(0, _LOOKED_AT, count):
            places = await self._places(caller, before, count)
            seen = await self._standings([job_id for job_id, _ in places])
            for (_, place), standing in zip(places, seen, strict=True):
                before = place
                if standing is not None and state in {None, standing.job.state}:
                    found.append(standing)
                if len(found) == most:
                    return Page(tuple(found), before)
            if len(places) < count:
                return Page(tuple(found), None)
        return Page(tuple(found), before)

    async def heard(self, job_id: str, first: int) -> list[Line]:
        """The next finished segments of a running job, from this index up to one that is not finished."""
        of = JobKeys.of(job_id)
        wanted = [str(index) for index in range(first, first + LINES_AT_ONCE)]
        outcomes = await self._client.hmget(of.outcomes, wanted)
        reasons = cast("list[bytes]", list(itertools.takewhile(lambda reason: reason is not None, outcomes)))
        if not reasons:
            return []
        async with self._client.pipeline() as pipe:
            pipe.hmget(of.segments, wanted[: len(reasons)])
            for index in wanted[: len(reasons)]:
                pipe.lindex(keys.results(job_id) + index, 0)
            spans, *stored = cast("tuple[list[bytes], *tuple[bytes | None, ...]]", await pipe.execute())
        if None in spans:
            return []  # it has ended meanwhile: the transcript has them
        parts = zip(spans, reasons, stored, strict=True)
        return [_line(first + offset, *part) for offset, part in enumerate(parts)]

    async def _places(self, caller: str, before: int | None, count: int) -> list[tuple[str, int]]:
        """The ids and places of the next jobs of the index, newest first."""
        newest = "+inf" if before is None else f"({before}"
        found = cast(
            "list[tuple[bytes, float]]",
            await self._client.zrevrangebyscore(
                keys.jobs_of(caller), newest, "-inf", start=0, num=count, withscores=True
            ),
        )
        return [(job_id.decode(), int(place)) for job_id, place in found]

    async def _standings(self, job_ids: Sequence[str]) -> list[Standing | None]:
        async with self._client.pipeline() as pipe:
            for job_id in job_ids:
                pipe.hgetall(JobKeys.of(job_id).job)
                pipe.zrank(keys.QUEUED, job_id)
            answers: list[Any] = await pipe.execute()
        return [
            _standing(decode_job(fields), rank)
            for fields, rank in zip(answers[::2], answers[1::2], strict=True)
        ]


def _standing(job: Job | None, rank: int | None) -> Standing | None:
    return None if job is None else Standing(job, None if rank is None else rank + 1)


def _line(index: int, span: bytes, reason: bytes, stored: bytes | None) -> Line:
    return results.line(Segment(index, *_spans.decode(span)), reason, stored)
