"""What an operator or an orchestrator asks: is it alive, is it ready, what has it done."""

from litestar import Response, get
from msgspec import Struct

from api.failures import Unavailable
from api.instances import InstancePool
from monitoring.health import Health, HealthReport
from monitoring.statistics import Statistics, summarize


class Alive(Struct, frozen=True):
    """The answer of the probes."""

    status: str


@get("/health", summary="Health of the instances", tags=["Operation"])
async def health(pool: InstancePool) -> Response[HealthReport]:
    """200 while any instance is healthy, 503 when none is; the body says which and why."""
    report = await pool.health()
    return Response(report, status_code=503 if report.status is Health.UNHEALTHY else 200)


@get("/health/live", summary="Is the API alive?", tags=["Operation"])
async def live() -> Alive:
    """200 as long as the API process answers."""
    return Alive("alive")


@get("/health/ready", summary="Can it take uploads?", tags=["Operation"])
async def ready(pool: InstancePool) -> Alive:
    """200 when Redis answers and an instance and a segmenter are ready, else 503."""
    if (await pool.health()).status is Health.UNHEALTHY:
        raise Unavailable("no instance or no segmenter is ready; GET /health says why")
    return Alive("ready")


@get("/stats", summary="What the instances have done", tags=["Operation"])
async def stats(pool: InstancePool) -> Statistics:
    """Counters since Redis was first started, the same whichever process answers."""
    known = await pool.read()
    return summarize(known, pool.assess(known))
