"""Callbacks of the real service, to a receiver beside it."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.e2e.conftest import Service, checkout, started
from tests.e2e.job_client import QUIET, SHORT, hand_in, job_of
from tests.e2e.test_faults import await_that, pid_of
from tests.receiver import SECRET, Received, Receiver, receiving


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One instance that takes a second for each segment; callbacks may come to this machine."""
    settings = {"ASR_MODEL": "tests.doubles.engines:SlowEngine", "ASR_INSTANCES": "1", "ASR_BATCH_ROWS": "1"}
    callbacks = {"ASR_CALLBACK_SECRET": SECRET, "ASR_CALLBACK_PRIVATE": "true"}
    yield from started(checkout(tmp_path_factory.mktemp("calling"), **settings, **callbacks))


@pytest.fixture
def api(calling: Service) -> Iterator[httpx.Client]:
    """A client of that service."""
    with calling.client() as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    with receiving() as listening:
        yield listening


def told(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """The standing of a job's callback, once that is settled."""
    await_that(lambda: job_of(client, job_id)["callback"]["state"] != "pending")
    callback: dict[str, Any] = job_of(client, job_id)["callback"]
    return callback


def test_taken_at_the_third_try(api: httpx.Client, receiver: Receiver) -> None:
    """Each try is the same message, signed, and after the one that succeeds there is none."""
    answers = iter([500, 500, 200])
    receiver.answer = lambda _: next(answers)

    job = hand_in(api, SHORT, callback=receiver.url).json()
    callback = told(api, job["id"])

    assert job["callback"] == {"origin": callback["origin"], "state": "pending", "tries": 0, "error": None}
    assert callback == {
        "origin": f"http://127.0.0.1:{receiver.port}",
        "state": "delivered",
        "tries": 3,
        "error": None,
    }
    assert [received.path for received in receiver.received] == ["/heard?token=s3cret"] * 3
    (body,) = {received.body for received in receiver.received}
    assert {received.headers["webhook-id"] for received in receiver.received} == {job["id"]}
    for received in receiver.received:
        Webhook(SECRET).verify(received.body, received.headers)
    event = json.loads(body)
    now = job_of(api, job["id"])
    assert event["type"] == "job.done"
    assert api.get(event["data"].pop("result")).json()["text"]
    assert event["data"] == {name: now[name] for name in event["data"]}


def test_every_end_is_told(api: httpx.Client, receiver: Receiver) -> None:
    """A job that is cancelled, and one that cannot be read."""
    cancelled = hand_in(api, QUIET, callback=receiver.url).json()["id"]
    assert api.delete(f"/jobs/{cancelled}").status_code == 204
    failed = hand_in(api, SHORT[:44], callback=receiver.url).json()["id"]
    for job_id in (cancelled, failed):
        assert told(api, job_id)["state"] == "delivered"

    events = {event["data"]["id"]: event for event in map(json.loads, bodies(receiver))}

    assert events[cancelled]["type"] == "job.cancelled"
    assert events[failed]["type"] == "job.failed"
    assert events[failed]["data"]["error"] == job_of(api, failed)["error"]


def bodies(receiver: Receiver) -> list[bytes]:
    """What was received."""
    return [received.body for received in receiver.received]


def test_the_courier_is_killed_on_the_way(calling: Service, api: httpx.Client, receiver: Receiver) -> None:
    """In the middle of a try: its successor tells of the job, in the same words."""
    reached, killed = threading.Event(), threading.Event()

    def hold(_: Received) -> int:
        reached.set()
        killed.wait(60)
        return 200

    receiver.answer = hold
    job_id = hand_in(api, SHORT, callback=receiver.url).json()["id"]
    assert reached.wait(60)

    os.kill(pid_of(calling, "courier"), signal.SIGKILL)
    killed.set()

    assert told(api, job_id)["state"] == "delivered"
    assert len(receiver.received) >= 2
    assert len(set(bodies(receiver))) == 1


def test_a_courier_that_was_away(calling: Service, api: httpx.Client, receiver: Receiver) -> None:
    """What waits for its next try when it is killed waits in Redis."""
    receiver.answer = lambda _: 500
    job_id = hand_in(api, SHORT, callback=receiver.url).json()["id"]
    await_that(lambda: job_of(api, job_id)["callback"]["tries"] == 2)

    os.kill(pid_of(calling, "courier"), signal.SIGKILL)
    receiver.answer = lambda _: 200

    callback = told(api, job_id)
    assert (callback["state"], callback["error"]) == ("delivered", None)


def test_a_key_with_another_callback(api: httpx.Client, receiver: Receiver) -> None:
    """It names another request."""
    first = hand_in(api, SHORT, "friday's call", callback=receiver.url)

    assert hand_in(api, SHORT, "friday's call", callback=receiver.url).json()["id"] == first.json()["id"]
    for other in ({}, {"callback": f"{receiver.url}&more"}):
        assert hand_in(api, SHORT, "friday's call", **other).status_code == 422


@pytest.mark.parametrize("url", ["example.org", "ftp://example.org/", "http://user@example.org/", "x" * 2001])
def test_a_bad_url(api: httpx.Client, url: str) -> None:
    """It is refused at once, by the name of the field."""
    refused = hand_in(api, SHORT, callback=url)

    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("callback: ")
