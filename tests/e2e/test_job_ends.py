"""Jobs that are cancelled, whose clients hang up, or whose service dies on the way."""

import asyncio
import os
import signal
import time

import httpx
import numpy as np
import pytest
import redis.asyncio
from msgspec.structs import replace

from actors.queue.delivery_limit import MAX_DELIVERIES, POISONOUS
from actors.records import SAMPLE_RATE_HZ
from actors.store import keys
from actors.store.jobs import JobStore
from loadtest.corpus.clips import clips, joined
from loadtest.corpus.encoding import encode, encoded
from tests.e2e.conftest import Service
from tests.e2e.job_client import QUIET, SEGMENTS, SHORT, Event, follow, hand_in, job_of
from tests.e2e.test_faults import await_that, pid_of
from tests.integration.test_store import LIMITS, chunks_of, new_job


def test_a_key_whose_upload_was_never_stored(slow: Service, api: httpx.Client) -> None:
    """Its API has died over it: whoever sends it again does not get a job that nobody works on."""

    async def die_over_it() -> None:
        async with redis.asyncio.Redis.from_url(slow.env["ASR_REDIS_URL"]) as client:
            store = JobStore(client, result_ttl_s=60, limits=LIMITS)
            await store.admit(replace(new_job(9, "dead"), key=":died"), chunks_of(b"abc"))
            await client.expire(keys.JobKeys.of("dead").job, 2)

    asyncio.run(die_over_it())
    job_id = hand_in(api, SHORT, "died").json()["id"]

    assert job_id != "dead"
    await_that(lambda: job_of(api, job_id)["state"] == "done")


def test_cancelled_while_it_is_recognised(slow: Service, api: httpx.Client) -> None:
    """Its segments are skipped, so that the next job is served at once, and nothing of it is left."""
    job_id = hand_in(api).json()["id"]
    following = follow(api, job_id)
    next(event for event in following if event[1] == "segment")

    for _ in range(2):
        assert api.delete(f"/jobs/{job_id}").status_code == 204

    assert [(name, data["state"]) for _, name, data in following][-2:] == [
        ("state", "cancelled"),
        ("done", "cancelled"),
    ]
    began = time.monotonic()
    assert api.post("/asr_simple", files={"file": ("a", SHORT)}).status_code == 200
    assert time.monotonic() - began < 7, "one segment may be in hand; the others would take eight seconds"
    assert job_of(api, job_id)["segments"]["finished"] < SEGMENTS
    with redis.Redis.from_url(slow.env["ASR_REDIS_URL"]) as client:
        assert client.keys(f"asr:*{job_id}*") == [f"asr:job:{job_id}".encode()]


def test_a_recording_that_kills_segmenters(slow: Service, api: httpx.Client) -> None:
    """It is in hand at three deaths, is refused for good, and what is handed in after it is heard."""
    #: The segmenter holds it for a minute, as it may not be further ahead of the instance.
    hour = encode(np.zeros(3_600 * SAMPLE_RATE_HZ, np.int16), "flac", "flac")
    job_id = hand_in(api, hour).json()["id"]

    with redis.Redis.from_url(slow.env["ASR_REDIS_URL"]) as client:

        def begun_by() -> int:
            return max(map(client.scard, client.keys(keys.deliveries("*"))), default=0)

        for deaths in range(MAX_DELIVERIES):
            await_that(lambda deaths=deaths: begun_by() == deaths + 1)  # type: ignore[misc]
            os.kill(pid_of(slow, "segmenter-1"), signal.SIGKILL)
        await_that(lambda: job_of(api, job_id)["state"] == "failed")

        assert POISONOUS in job_of(api, job_id)["error"]["message"]
        assert api.get(f"/jobs/{job_id}/result").status_code == 422
        assert api.post("/asr_simple", files={"file": ("a", SHORT)}).status_code == 200
        await_that(lambda: not client.keys(keys.deliveries("*")))


def test_a_client_that_hangs_up_cancels(slow: Service, api: httpx.Client) -> None:
    """Nobody waits for the answer any more."""
    with slow.client(timeout_s=2) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("/asr_simple", files={"file": ("a", QUIET)})

    (job,) = api.get("/jobs", params={"limit": 1}).json()["jobs"]
    await_that(lambda: job_of(api, job["id"])["state"] == "cancelled")


def test_a_client_of_a_stream_that_hangs_up_cancels(slow: Service, api: httpx.Client) -> None:
    """The same goes for OpenAI's stream, once it has heard the first text."""
    file = encoded(joined(clips("en") * 4, 1_500), "wav")
    fields = {"model": "whisper-1", "stream": "true"}
    with (
        slow.client() as listener,
        listener.stream(
            "POST", "/v1/audio/transcriptions", files={"file": ("a", file)}, data=fields
        ) as answer,
    ):
        assert "transcript.text.delta" in next(answer.iter_text())

    (job,) = api.get("/jobs", params={"limit": 1}).json()["jobs"]
    await_that(lambda: job_of(api, job["id"])["state"] == "cancelled")


def test_the_api_is_killed_on_the_way(slow: Service, api: httpx.Client) -> None:
    """The job goes on, and is told of truly before and after; its stream is taken up again."""
    job_id = hand_in(api, key="kill").json()["id"]
    heard: list[Event] = []

    def hear() -> None:
        for event in follow(api, job_id):
            heard.append(event)
            if len(heard) == 3:
                os.kill(pid_of(slow, "api"), signal.SIGKILL)

    with pytest.raises(httpx.TransportError):
        hear()
    await_that(lambda: alive(api))

    seen = job_of(api, job_id)
    assert seen["state"] in {"running", "done"}
    assert seen["segments"]["finished"] >= sum(name == "segment" for _, name, _ in heard)
    assert hand_in(api, key="kill").json()["id"] == job_id
    heard += follow(api, job_id, heard[-1][0])

    assert [data["index"] for _, name, data in heard if name == "segment"] == list(range(SEGMENTS))
    assert job_of(api, job_id)["state"] == "done"


def test_streams_do_not_hold_up_a_stop(slow: Service, api: httpx.Client) -> None:
    """They end at once, before their job has; the clients come again."""
    job_id = hand_in(api).json()["id"]
    following = follow(api, job_id)
    heard = [next(following)]

    began = time.monotonic()
    os.kill(pid_of(slow, "api"), signal.SIGTERM)
    heard += following

    assert time.monotonic() - began < 5
    assert heard[-1][1] != "done"
    await_that(lambda: alive(api))


def alive(client: httpx.Client) -> bool:
    """Whether the API answers."""
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False
