"""Where jobs and queues lie in Redis."""

from pathlib import Path

import pytest

from actors import settings
from actors.errors import StartupError
from actors.store.connection import answering, broker_url, connect


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


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:s3cret", "its port is no number"),
        ("redis://host/0?socket_timeout=s3cret", "'socket_timeout'"),
        ("redis+sentinel://:s3cret@a@b/speech", "no URL of Sentinels"),
        ("redis+sentinel://a:s3cret/speech", "a host of the URL is none"),
    ],
)
def test_a_url_that_names_nothing(url: str, said: str) -> None:
    """Whoever connects says so in a sentence, and repeats no secret."""
    allowed = settings.load({"ASR_REDIS_URL": url}, Path("none"))

    for open_ in (connect, lambda one: answering(one, 1.0)):
        with pytest.raises(StartupError, match=said) as refused:
            open_(allowed.redis_url)
        assert "s3cret" not in str(refused.value)
