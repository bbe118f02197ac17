"""Jobs over HTTP, for the tests of jobs: a slow service, and how to hand in and follow."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np

from loadtest.corpus.encoding import encode
from tests.media import wav

#: Nine segments when it is not cut by voice activity, of which the one slow instance takes a second each.
SEGMENTS = 9
QUIET_S = 240
QUIET = encode(np.zeros(QUIET_S * 16_000, np.int16), "flac", "flac")
SHORT = wav(np.zeros(16_000))

Event = tuple[str, str, Any]


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
