"""Where jobs and queues lie in Redis."""

from pathlib import Path

import pytest

from actors import settings
from actors.store.connection import broker_url


@pytest.mark.parametrize(
    ("jobs", "queues"),
    [
        ("redis://host:6379", "redis://host:6379/1"),
        ("rediss://:s3cret@host/2?ssl_cert_reqs=none", "rediss://:s3cret@host/3?ssl_cert_reqs=none"),
        ("unix://:s3cret@/run/redis.sock?db=0", "unix://:s3cret@/run/redis.sock?db=1"),
        ("unix:///my%20own/redis.sock", "unix:///my%20own/redis.sock?db=1"),
        ("redis+sentinel://a,b:1/speech", "redis+sentinel://a,b:1/speech/1"),
        ("rediss+sentinel://u:p@a/speech/4?ssl_x=1", "rediss+sentinel://u:p@a/speech/5?ssl_x=1"),
    ],
)
def test_the_queues_lie_in_the_next_database(jobs: str, queues: str) -> None:
    """Whatever the connection, and with all that its URL says besides."""
    allowed = settings.load({"ASR_REDIS_URL": jobs}, Path("none"))

    assert broker_url(allowed) == queues
