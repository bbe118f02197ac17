"""The events that all processes have logged, as the command and the API show them."""

from collections.abc import Iterable
from typing import Final, Literal, get_args

import msgspec
import redis.asyncio
from msgspec import Struct

from actors.store.log_stream import BEGINNING, Stored, before

Level = Literal["debug", "info", "warning", "error", "critical"]

#: Events that are looked at in one round trip.
LOOKED_AT_ONCE: Final = 1000

#: The least severe first.
LEVELS: Final[tuple[str, ...]] = get_args(Level)


class _Head(Struct, frozen=True):
    """What is asked of every event."""

    timestamp: str
    event: str
    level: str
    process: str
    host: str
    job: str = ""
    request: str = ""


class LogEntry(Struct, frozen=True):
    """An event: its place in the stream, all of it as JSON, and what it can be chosen by."""

    id: str
    line: str
    head: _Head


class LogFilter(Struct, frozen=True, kw_only=True):
    """Which events are wanted: all, unless it says otherwise."""

    #: The least level.
    level: str = "debug"
    #: A process, or what the names of several begin with: `instance` is all instances.
    process: str = ""
    #: What the id of the job begins with.
    job: str = ""

    def passes(self, entry: LogEntry) -> bool:
        """Whether an event is wanted; a request is of the job that it has handed in, also before it has."""
        head = entry.head
        if _rank(head.level) < _rank(self.level):
            return False
        if self.process and not f"{head.process}-".startswith(f"{self.process}-"):
            return False
        return not self.job or head.job.startswith(self.job) or head.request.startswith(self.job)


class Recent(Struct, frozen=True):
    """The last events that were wanted, oldest first, and the place behind all that were looked at."""

    entries: list[LogEntry]
    place: str


async def recent(client: redis.asyncio.Redis, wanted: LogFilter, most: int) -> Recent:
    """The last `most` events that are wanted, however far back they lie."""
    found: list[LogEntry] = []
    place, oldest = BEGINNING, None
    while page := await before(client, oldest, LOOKED_AT_ONCE):
        place, oldest = place if oldest else page[0].id, page[-1].id
        found.extend(entry for entry in read(page) if wanted.passes(entry))
        if len(found) >= most:
            break
    return Recent(found[:most][::-1], place)


def read(stored: Iterable[Stored]) -> Iterable[LogEntry]:
    """Events as they were logged; what is none of ours is left out."""
    for one in stored:
        try:
            yield LogEntry(one.id, one.line.decode(), _heads.decode(one.line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


def _rank(level: str) -> int:
    """How severe a level is; one that is not known is shown always."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


_heads: Final = msgspec.json.Decoder(_Head)
