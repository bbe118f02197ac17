"""What a host without the API says of the others."""

import pytest
import redis

from actors.settings import Settings
from actors.store.workers import WorkerRegistry
from deploy import pool, running
from monitoring.health import Condition, Health
from tests.integration.test_express import report

PARTS = "segmenters,instances"


def test_redis_is_asked_where_there_is_no_api(config: Settings, client: redis.Redis) -> None:
    """It knows the workers of all hosts."""
    registry = WorkerRegistry(client)
    for name in ("instance-1@a", "instance-1@b", "segmenter-1@b"):
        registry.report(report(name))
    here = Settings(redis_url=config.redis_url, parts=PARTS, node="a")

    known = pool.health(running.describe(here, config.redis_url))

    assert known is not None
    assert known.status is Health.HEALTHY
    assert {one.instance: one.state for one in known.health_details} == {
        "instance-1@a": Condition.IDLE,
        "instance-1@b": Condition.IDLE,
    }


def test_nothing_is_known_while_redis_is_away() -> None:
    """That is no error."""
    away = "redis://127.0.0.1:1/0"

    assert pool.health(running.describe(Settings(redis_url=away, parts=PARTS), away)) is None


@pytest.mark.parametrize(
    "url",
    ["redis://:s3cret@hub:6379/0", "rediss://me:s3cret@hub:6379/0?ssl_cert_reqs=none", "redis://hub:6379/0"],
)
def test_no_password_is_shown(url: str) -> None:
    """Nor what else is secret in the URL."""
    assert pool.shown(url).endswith("//hub:6379/0")
