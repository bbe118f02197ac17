"""More than can be answered in time: what is taken in is answered, the rest refused at once."""

from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import redis

from actors.store import keys
from tests.e2e.conftest import Service
from tests.e2e.job_client import SHORT, hand_in

#: One second of sound each, for which the one instance takes a second; it is told that it takes more.
REQUESTS = 30


def test_more_than_can_be_answered_in_time(slow: Service, api: httpx.Client) -> None:
    """No request runs into its time-out; jobs, for which nobody waits, are taken in as ever."""
    with redis.Redis.from_url(slow.env["ASR_REDIS_URL"]) as client:
        client.hset(keys.SPEED, mapping={"busy_ms": 30_000, "audio_ms": 12_000})

    def ask(_: int) -> httpx.Response:
        return api.post("/asr_simple", files={"file": ("a.wav", SHORT)})

    with ThreadPoolExecutor(REQUESTS) as clients:
        asked = [clients.submit(ask, number) for number in range(REQUESTS)]
        refused = next(one.result() for one in as_completed(asked) if one.result().status_code == 429)
        job = hand_in(api, SHORT)
    statuses = {one.result().status_code for one in asked}

    assert statuses == {200, 429}
    assert int(refused.headers["retry-after"]) > 0
    assert "/jobs" in refused.json()["msg"]
    assert job.status_code == 202
    assert ask(0).status_code == 200
