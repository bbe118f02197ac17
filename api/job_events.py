"""What happens to a job, as server-sent events that a client can take up again where it lost them."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, Literal, TypeVar

import msgspec
import redis
from litestar.response import ServerSentEventMessage
from msgspec import Struct

from actors.records import JobState, Line
from actors.store.following import JobFollower, Standing
from actors.store.jobs import JobStore
from api.errors import Refused
from api.events import JobListener, set_within
from api.job_view import view

#: A connection on which nothing is said for longer may be cut by what lies between.
HEARTBEAT_S: Final = 15.0

#: Pause before a Redis that is away is asked again.
_RECONNECT_S: Final = 0.5

#: The id of the last event.
_END: Final = "end"

_ID: Final = re.compile(r"([a-z]*)-([0-9]{1,9})")

News = TypeVar("News")


class Event(Struct, frozen=True, kw_only=True):
    """A server-sent event; its data is JSON: a `JobView`, or with `segment` a `SegmentEvent`."""

    id: str
    event: Literal["state", "segment", "done"]
    data: str


class SegmentEvent(Struct, frozen=True, kw_only=True):
    """One segment as it was heard; `error` says why it failed, else it is null. Times are milliseconds."""

    index: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    error: str | None


class Place(Struct, frozen=True):
    """How far a client has heard: the last state it was told, and how many segments."""

    state: str = ""
    segments: int = 0
    #: Whether it has heard everything.
    at_end: bool = False

    @classmethod
    def of(cls, event_id: str | None) -> "Place":
        """The place behind the event with this id; the beginning for none.

        Raises:
            Refused: 422 where it is no id of ours.
        """
        if event_id == _END:
            return cls(at_end=True)
        found = _ID.fullmatch(event_id or "-0")
        if found is None:
            raise Refused(422, "Last-Event-ID: not the id of an event of this stream")
        return cls(found[1], int(found[2]))

    @property
    def id(self) -> str:
        """The id of an event that leads to this place."""
        return _END if self.at_end else f"{self.state}-{self.segments}"


class JobStream(Struct, frozen=True):
    """Streams jobs to clients."""

    store: JobStore
    follower: JobFollower
    listener: JobListener

    async def events(self, job_id: str, place: Place) -> AsyncGenerator[ServerSentEventMessage, None]:
        """The events behind a place, as they happen, until the job has ended or is gone."""

        async def look() -> tuple[list[ServerSentEventMessage], bool]:
            nonlocal place
            news, place, goes_on = await self._news(job_id, place)
            return news, goes_on

        async with contextlib.aclosing(self._follow(job_id, look)) as found:
            async for event in found:
                yield event or ServerSentEventMessage(data=None, comment="still here")

    async def lines(self, job_id: str) -> AsyncGenerator[Line | None, None]:
        """The segments of a job in order of time, each as soon as it and all before it are finished.

        None when there has been none for `HEARTBEAT_S`; it ends with the job, or when this process stops.
        """
        first = 0

        async def look() -> tuple[list[Line], bool]:
            nonlocal first
            standing = await self.follower.standing(job_id)
            if standing is None:
                return [], False
            lines = await self._lines(standing, first)
            first = lines[-1].segment.index + 1 if lines else first
            return lines, not standing.job.state.ended

        async with contextlib.aclosing(self._follow(job_id, look)) as found:
            async for line in found:
                yield line

    async def _follow(
        self, job_id: str, look: Callable[[], Awaitable[tuple[Sequence[News], bool]]]
    ) -> AsyncGenerator[News | None, None]:
        """What each look finds, until one says that was all; None after `HEARTBEAT_S` of nothing."""
        async with self.listener.watch(job_id) as moved:
            while not self.listener.closed:
                moved.clear()
                try:
                    news, goes_on = await look()
                except redis.RedisError:
                    await asyncio.sleep(_RECONNECT_S)
                    continue
                for one in news:
                    yield one
                if not goes_on:
                    return
                if not news and not await set_within(moved, HEARTBEAT_S):
                    yield None

    async def _news(self, job_id: str, place: Place) -> tuple[list[ServerSentEventMessage], Place, bool]:
        """What has happened since, the place behind it, and whether more is to come."""
        standing = await self.follower.standing(job_id)
        if standing is None:
            return [], place, False
        news: list[ServerSentEventMessage] = []
        state, ended = standing.job.state, standing.job.state.ended
        if not ended and place.state != state:
            place = msgspec.structs.replace(place, state=state.value)
            news.append(_state_event(standing, place))
        for line in await self._lines(standing, place.segments):
            place = msgspec.structs.replace(place, segments=line.segment.index + 1)
            news.append(_segment_event(line, place))
        if ended and place.state != state:
            place = msgspec.structs.replace(place, state=state.value)
            news.append(_state_event(standing, place))
        if ended:
            place = msgspec.structs.replace(place, at_end=True)
            news.append(_message("done", view(standing), place))
        return news, place, not ended

    async def _lines(self, standing: Standing, first: int) -> list[Line]:
        """Finished segments from this index on, in order of time."""
        match standing.job.state:
            case JobState.RUNNING:
                return await self.follower.heard(standing.job.id, first)
            case JobState.DONE:
                transcript = await self.store.transcript(standing.job.id)
                return [] if transcript is None else list(transcript.lines[first:])
            case _:
                return []


def _state_event(standing: Standing, place: Place) -> ServerSentEventMessage:
    return _message("state", view(standing), place)


def _segment_event(line: Line, place: Place) -> ServerSentEventMessage:
    heard = line.utterance
    event = SegmentEvent(
        index=line.segment.index,
        start_ms=line.segment.start_ms,
        end_ms=line.segment.end_ms,
        text=heard.text if heard else "",
        language=heard.language if heard else None,
        error=line.error,
    )
    return _message("segment", event, place)


def _message(name: str, data: Struct, place: Place) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(data).decode(), event=name, id=place.id)
