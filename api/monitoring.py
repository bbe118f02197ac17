"""What a monitoring system asks: the metrics for Prometheus."""

from litestar import Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from actors.clock import now_ms
from actors.store.metrics import read_metrics
from api.instances import InstancePool
from monitoring.exposition import MEDIA_TYPE, expose
from monitoring.gauges import gauges
from monitoring.measures import Measures

_EXAMPLE = (
    "# HELP asr_requests_total Uploads answered.\n"
    "# TYPE asr_requests_total counter\n"
    'asr_requests_total{endpoint="asr",status="2xx"} 42.0\n'
)


@get(
    "/metrics",
    summary="Metrics for Prometheus",
    tags=["Operation"],
    media_type=MEDIA_TYPE,
    responses={
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
    computed = gauges(known, pool.assess(known), await pool.backlog(), now_ms())
    counted = Measures(await read_metrics(pool.client))
    return Response(expose(counted, computed), media_type=MEDIA_TYPE)


def router() -> Router:
    """All of them."""
    return Router(path="/", route_handlers=[metrics])
