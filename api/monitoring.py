"""What a monitoring system asks: the metrics for Prometheus, the last hour's snapshots, the alerts."""

from typing import Annotated, Final

import msgspec
from litestar import Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Parameter
from msgspec import Struct

from actors.clock import now_ms
from actors.store.metrics import read_metrics
from actors.store.watching import read_alerts, snapshots
from api.callers import SECURITY, unless_public
from api.error_answers import problems
from api.instances import InstancePool
from monitoring.alerts import Alert, Book
from monitoring.exposition import MEDIA_TYPE, expose
from monitoring.gauges import gauges
from monitoring.measures import Measures
from monitoring.snapshot import Snapshot

#: Snapshots of an answer, so that it stays small however often the monitor looks.
MOST_SHOWN: Final = 600

_books: Final = msgspec.json.Decoder(Book)
_snapshots: Final = msgspec.json.Decoder(Snapshot)

_PROBLEMS: Final = problems(
    {401: "An API key is needed.", 503: "Redis is away; `Retry-After` says when to come again."}
)

_EXAMPLE: Final = (
    "# HELP asr_requests_total Uploads answered.\n"
    "# TYPE asr_requests_total counter\n"
    'asr_requests_total{endpoint="asr",status="2xx"} 42.0\n'
)


@get(
    "/metrics",
    summary="Metrics for Prometheus",
    tags=["Operation"],
    media_type=MEDIA_TYPE,
    guards=[unless_public("metrics")],
    responses=_PROBLEMS
    | {
        200: ResponseSpec(
            str,
            description="Prometheus' text format, version 0.0.4.",
            media_type="text/plain",
            generate_examples=False,
            examples=[Example(value=_EXAMPLE)],
        )
    },
)
async def metrics(pool: InstancePool) -> Response[str]:
    """Counters since Redis was first started, and how things are now; the same whichever process answers."""
    known = await pool.read()
    computed = gauges(known, pool.assess(known), await pool.backlog(), await _book(pool), now_ms())
    counted = Measures(await read_metrics(pool.client))
    return Response(expose(counted, computed), media_type=MEDIA_TYPE)


class History(Struct, frozen=True):
    """The answer of `/monitoring/history`: oldest first."""

    snapshots: list[Snapshot]


class Alerts(Struct, frozen=True):
    """The answer of `/monitoring/alerts`: those that fire first, the worst and latest before the others."""

    alerts: list[Alert]
    #: When the monitor judged them, Unix milliseconds; null where none ever has.
    judged_ms: int | None
    #: Whether it judges no more: nobody knows then what should fire.
    is_stale: bool


@get(
    "/monitoring/history",
    summary="The last hour",
    tags=["Operation"],
    guards=[unless_public("monitoring")],
    responses=_PROBLEMS | problems({422: "A parameter is bad."}),
)
async def history(
    pool: InstancePool,
    minutes: Annotated[int, Parameter(ge=1, le=60, description="How far back.")] = 60,
) -> History:
    """What the monitor saw at each look; where it looks often, every second or third, and the last."""
    kept = await snapshots(pool.client, now_ms() - minutes * 60_000)
    every = -(-len(kept) // MOST_SHOWN) or 1
    return History([seen for line in kept[::-1][::every][::-1] if (seen := _decoded(line))])


@get(
    "/monitoring/alerts",
    summary="The alerts",
    tags=["Operation"],
    guards=[unless_public("monitoring")],
    responses=_PROBLEMS,
)
async def alerts(pool: InstancePool) -> Alerts:
    """The alerts that fire, and of the others that ever fired when they were resolved last."""
    book = await _book(pool)
    return Alerts(book.alerts, book.judged_ms or None, book.is_stale(now_ms()))


def router() -> Router:
    """All of them."""
    return Router(path="/", route_handlers=[metrics, history, alerts], security=SECURITY)


async def _book(pool: InstancePool) -> Book:
    """How the alerts stand, as the monitor has written it last."""
    kept = await read_alerts(pool.client)
    try:
        return _books.decode(kept) if kept else Book()
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
    ):  # of another version: about to be written anew
        return Book()


def _decoded(line: bytes) -> Snapshot | None:
    try:
        return _snapshots.decode(line)
    except msgspec.DecodeError:  # of another version
        return None
