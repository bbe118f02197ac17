"""Jobs over HTTP: handed in, followed, fetched, cancelled, each step in a request of its own."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import redis.asyncio
from msgspec.structs import replace

from actors.store import keys
from actors.store.jobs import JobStore
from tests.e2e.conftest import Service, checkout, started
from tests.e2e.test_faults import await_that, pid_of
from tests.integration.test_store import LIMITS, chunks_of, new_job
from tests.media import encode, wav
from tests.speech import clips, encoded, joined

#: Nine segments when it is not cut by voice activity, of which the one slow instance takes a second each.
SEGMENTS = 9
QUIET_S = 240
QUIET = encode(np.zeros(QUIET_S * 16_000, np.int16), "flac", "flac")
SHORT = wav(np.zeros(16_000))

Event = tuple[str, str, Any]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Service]:
    """One instance that takes a second for each segment, on a Redis that the tests can look into."""
    settings = {"ASR_MODEL": "tests.doubles.engines:SlowEngine", "ASR_INSTANCES": "1", "ASR_BATCH_ROWS": "1"}
    own = redis_url.removesuffix("/0") + "/4"
    yield from started(checkout(tmp_path_factory.mktemp("slow"), **settings, ASR_REDIS_URL=own))


@pytest.fixture
def api(slow: Service) -> Iterator[httpx.Client]:
    """A client of the slow service, whose jobs are cancelled afterwards."""
    with slow.client() as client:
        yield client
        for state in ("queued", "running"):
            for job in client.get("/jobs", params={"state": state, "limit": 100}).json()["jobs"]:
                client.delete(f"/jobs/{job['id']}")


def hand_in(client: httpx.Client, file: bytes = QUIET, key: str | None = None, **form: str) -> httpx.Response:
    """Submit a recording that is not cut by voice activity."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/jobs", files={"file": ("a", file)}, data={"vad": "0"} | form, headers=headers)


def job_of(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """Where the job stands."""
    answer = client.get(f"/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def follow(client: httpx.Client, job_id: str, after: str | None = None) -> Iterator[Event]:
    """The events of a job as (id, name, data)."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "event" in event:
                yield event["id"], event["event"], json.loads(event["data"])
                event = {}


def test_real_speech(http: httpx.Client) -> None:
    """What a job gives is what `/asr` gives, and what its events tell is the same again."""
    speech = clips("en")
    file = encoded(sum((clip.audio for clip in speech[1:4]), speech[0].audio), "mp3")
    submitted = http.post("/jobs", files={"file": ("a.mp3", file)}, data={"lang": "en"})
    assert submitted.status_code == 202
    job_id = submitted.json()["id"]
    assert submitted.headers["location"] == f"/jobs/{job_id}"

    events = list(follow(http, job_id))

    answer = http.post("/asr", files={"file": ("a.mp3", file)}, data={"lang": "en", "details": "1"}).json()
    assert events[-1][1] == "done"
    assert events[-1][2]["state"] == "done"
    heard = [data for _, name, data in events if name == "segment"]
    wanted = ("start_ms", "end_ms", "text", "language", "error")
    assert [[data[name] for name in wanted] for data in heard] == [
        [segment[name] for name in wanted] for segment in answer["segments"]
    ]
    result = http.get(f"/jobs/{job_id}/result").json()
    assert result["segments"] == answer["segments"]
    assert (result["language"], result["stats"]) == ("en", answer["stats"])
    srt = http.get(f"/jobs/{job_id}/result", params={"format": "srt"})
    assert srt.text == answer["data"]
    assert srt.headers["content-type"] == "application/x-subrip; charset=utf-8"
    assert srt.headers["content-disposition"] == f'attachment; filename="{job_id}.srt"'
    assert http.get(f"/jobs/{job_id}/result", params={"format": "txt"}).text == result["text"]


def test_events_in_order_and_taken_up_again(api: httpx.Client) -> None:
    """Segments come while the job runs; whoever reconnects misses nothing and hears nothing twice."""
    job_id = hand_in(api).json()["id"]
    first: list[Event] = []
    for event in follow(api, job_id):
        first.append(event)
        if event[1] == "segment" and event[2]["index"] == 2:
            break
    running = job_of(api, job_id)
    assert running["state"] == "running"
    assert running["eta_s"] > 0
    assert 3 <= running["segments"]["finished"] < SEGMENTS
    assert running["audio"]["total_s"] == QUIET_S

    rest = list(follow(api, job_id, first[-1][0]))

    whole = [*first, *rest]
    assert [data["index"] for _, name, data in whole if name == "segment"] == list(range(SEGMENTS))
    states = [data["state"] for _, name, data in whole if name == "state"]
    assert states in (["queued", "running", "done"], ["running", "done"])
    assert [name for _, name, _ in whole][-2:] == ["state", "done"]
    again = list(follow(api, job_id))
    assert [event for event in again if event[1] == "segment"] == [
        (id_.replace("running", ""), name, data) for id_, name, data in whole if name == "segment"
    ]
    assert list(follow(api, job_id, rest[-2][0])) == rest[-1:]
    assert api.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": rest[-1][0]}).status_code == 204
    assert api.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": "17"}).status_code == 422


def test_the_line_and_the_list(api: httpx.Client) -> None:
    """Every job is listed, newest first, page by page, and those that wait know their position."""
    handed_in = [hand_in(api, SHORT).json()["id"] for _ in range(5)]
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while len(listed) < 5:
        page = api.get("/jobs", params={"limit": "2"} | cursor).json()
        listed += [job["id"] for job in page["jobs"]]
        cursor = {"cursor": page["next"]}

    assert listed[:5] == handed_in[::-1]
    await_that(lambda: all(job_of(api, job_id)["state"] == "done" for job_id in handed_in))
    done = api.get("/jobs", params={"state": "done"}).json()["jobs"]
    assert set(handed_in) <= {job["id"] for job in done}
    assert {job["state"] for job in done} == {"done"}


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"state": "lost"}, {"cursor": "x"}]
)
def test_bad_parameters(api: httpx.Client, params: dict[str, str]) -> None:
    """They are refused, by name."""
    answer = api.get("/jobs", params=params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert next(iter(params)) in answer.json()["detail"]


def test_no_result_yet(api: httpx.Client) -> None:
    """A problem says where the job stands, or that there is none."""
    job_id = hand_in(api).json()["id"]

    early = api.get(f"/jobs/{job_id}/result")
    api.delete(f"/jobs/{job_id}")
    late = api.get(f"/jobs/{job_id}/result")

    assert early.status_code == late.status_code == 409
    assert early.headers["content-type"] == "application/problem+json"
    assert early.json()["state"] in {"queued", "running"}
    assert late.json()["state"] == "cancelled"
    for ask in ("/jobs/nothing", "/jobs/nothing/result", "/jobs/nothing/events"):
        assert api.get(ask).status_code == 404
    assert api.delete("/jobs/nothing").status_code == 404
    assert api.get(f"/jobs/{job_id}/result", params={"format": "doc"}).status_code == 422


def test_a_failed_job(api: httpx.Client) -> None:
    """Its result is its error, with the status that `/asr` gives."""
    damaged = SHORT[:44]
    job_id = hand_in(api, damaged).json()["id"]

    events = list(follow(api, job_id))

    asked = api.post("/asr", files={"file": ("a", damaged)})
    result = api.get(f"/jobs/{job_id}/result")
    assert result.status_code == asked.status_code == 422
    assert result.json()["detail"] == asked.json()["msg"] == events[-1][2]["error"]["message"]
    assert events[-1][2]["error"]["status"] == 422


@pytest.mark.parametrize(("file", "form"), [(b"", {}), (b"no recording", {}), (SHORT, {"lang": "xx"})])
def test_what_asr_refuses(api: httpx.Client, file: bytes, form: dict[str, str]) -> None:
    """It is refused at once, in the same words."""
    asked = api.post("/asr", files={"file": ("a", file)}, data=form)
    refused = hand_in(api, file, **form)

    assert refused.status_code == asked.status_code
    assert refused.json()["detail"] == asked.json()["msg"]


def test_one_key_is_one_job(slow: Service, api: httpx.Client) -> None:
    """Also at once; with another file or other options the key is refused."""

    def send(_: int) -> httpx.Response:
        with slow.client() as client:
            return hand_in(client, SHORT, "tuesday's call")

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(send, range(8)))

    assert {answer.status_code for answer in answers} == {202}
    (job_id,) = {answer.json()["id"] for answer in answers}
    await_that(lambda: job_of(api, job_id)["state"] == "done")
    assert hand_in(api, SHORT, "tuesday's call").json()["state"] == "done"
    assert hand_in(api, SHORT, "tuesday's call", lang="en").status_code == 422
    assert hand_in(api, SHORT + b"\0", "tuesday's call").status_code == 422
    assert hand_in(api, SHORT, "x" * 201).status_code == 422


def test_the_result_is_deleted(api: httpx.Client) -> None:
    """A job that is done stays so; its result is gone, and its events without segments."""
    job_id = hand_in(api, SHORT).json()["id"]
    assert [name for _, name, _ in follow(api, job_id)][-3:] == ["segment", "state", "done"]
    assert api.get(f"/jobs/{job_id}/result").status_code == 200

    assert api.delete(f"/jobs/{job_id}").status_code == 204

    assert job_of(api, job_id)["state"] == "done"
    gone = api.get(f"/jobs/{job_id}/result")
    assert gone.status_code == 404
    assert "deleted" in gone.json()["detail"]
    assert [name for _, name, _ in follow(api, job_id)] == ["state", "done"]


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
    assert time.monotonic() - began < 4, "one segment may be in hand, and this one takes a second"
    assert job_of(api, job_id)["segments"]["finished"] < SEGMENTS
    with redis.Redis.from_url(slow.env["ASR_REDIS_URL"]) as client:
        assert client.keys(f"asr:*{job_id}*") == [f"asr:job:{job_id}".encode()]


def test_a_client_that_hangs_up_cancels(slow: Service, api: httpx.Client) -> None:
    """Nobody waits for the answer any more."""
    with slow.client(timeout_s=2) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("/asr_simple", files={"file": ("a", QUIET)})

    (job,) = api.get("/jobs", params={"limit": 1}).json()["jobs"]
    await_that(lambda: job_of(api, job["id"])["state"] == "cancelled", timeout_s=3)


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
    await_that(lambda: job_of(api, job["id"])["state"] == "cancelled", timeout_s=3)


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


@pytest.mark.parametrize("part", ["upload", "segments", "audio", "transcript"])
def test_an_id_names_no_other_key(api: httpx.Client, part: str) -> None:
    """What lies in Redis beside a job is no job."""
    job_id = hand_in(api).json()["id"]

    for path in ("", "/result", "/events"):
        assert api.get(f"/jobs/{job_id}:{part}{path}").status_code == 404
    assert api.delete(f"/jobs/{job_id}:{part}").status_code == 404
