"""What an operator or an orchestrator asks: is it alive, is it ready, what has it done."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from actors.clock import now_ms
from api.callers import OPERATOR, SECURITY, Caller, is_known, unless_public
from api.error_answers import problems
from api.errors import Unavailable
from api.instances import InstancePool
from api.intake import Recognizer
from monitoring.health import Health, HealthReport, without_details, without_hosts
from monitoring.statistics import Statistics, summarize

#: Running jobs in `/stats`, and among how many the caller's own are looked for.
RUNNING_SHOWN: Final = 20
RUNNING_LOOKED_AT: Final = 200


class Alive(Struct, frozen=True):
    """The answer of the probes."""

    status: str


@get(
    "/health",
    summary="Health of the instances",
    tags=["Operation"],
    responses={503: ResponseSpec(HealthReport, description="No instance or no segmenter is healthy.")},
)
async def health(pool: InstancePool, request: Request[Any, Any, State]) -> Response[HealthReport]:
    """200 while any instance is healthy, 503 when none is; the body says which and, to who is known, why."""
    report = await pool.health()
    if not is_known(request):
        report = without_details(report)
    return Response(report, status_code=503 if report.status is Health.UNHEALTHY else 200)


@get("/health/live", summary="Is the API alive?", tags=["Operation"])
async def live() -> Alive:
    """200 as long as the API process answers."""
    return Alive("alive")


@get(
    "/health/ready",
    summary="Can it take uploads?",
    tags=["Operation"],
    responses=problems({503: "It cannot: `GET /health` says why."}),
)
async def ready(pool: InstancePool) -> Alive:
    """200 when Redis answers and an instance and a segmenter are ready, else 503."""
    if (await pool.health()).status is Health.UNHEALTHY:
        raise Unavailable("no instance or no segmenter is ready; GET /health says why")
    return Alive("ready")


@get(
    "/stats",
    summary="What the instances have done",
    tags=["Operation"],
    guards=[unless_public("stats")],
    security=SECURITY,
    responses=problems({401: "An API key is needed."}),
)
async def stats(recognizer: Recognizer, caller: Caller, request: Request[Any, Any, State]) -> Statistics:
    """Counters since Redis was first started, whichever process answers, and the caller's running jobs."""
    pool = await recognizer.pool.read()
    running = await recognizer.store.running(RUNNING_LOOKED_AT)
    own = [job for job in running if caller == OPERATOR or job.caller == caller.name][:RUNNING_SHOWN]
    report = recognizer.pool.assess(pool)
    shown = report if is_known(request) else without_hosts(report)
    return summarize(pool, report, own, now_ms(), shown)
