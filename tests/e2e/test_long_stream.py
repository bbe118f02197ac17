"""The events of a long recording, heard over connections that break."""

import random
from itertools import cycle, islice
from typing import Final

import pytest

from loadtest.corpus.clips import Clip, joined
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service
from tests.e2e.job_client import Event, follow
from tests.sensevoice import SAMPLES

SAID: Final = ("421", "881")
MINUTES: Final = 10
PAUSE_MS: Final = 1_500


@pytest.fixture(scope="module")
def ten_minutes() -> bytes:
    """The samples again and again, with pauses between, as m4a."""
    two = [Clip(SAMPLES / "en" / f"{digits}.wav", "en", digits) for digits in SAID]
    once = joined(two, PAUSE_MS)
    return encoded(once * (MINUTES * 60_000 // len(once) + 1), "m4a")


def test_ten_minutes_over_broken_connections(sensevoice: Service, ten_minutes: bytes) -> None:
    """Each segment once and in order, as in the result, however often the client comes again."""
    chosen = random.Random(4)
    with sensevoice.client() as client:
        submitted = client.post("/jobs", files={"file": ("a.m4a", ten_minutes)}, data={"lang": "en"})
        job_id = submitted.json()["id"]
        heard: list[Event] = []
        connections = 0
        while not heard or heard[-1][1] != "done":
            connections += 1
            events = follow(client, job_id, heard[-1][0] if heard else None)
            heard += islice(events, chosen.randint(1, 40))
        result = client.get(f"/jobs/{job_id}/result").json()

    assert connections > 3
    assert result["duration_s"] >= MINUTES * 60
    segments = [data for _, name, data in heard if name == "segment"]
    assert [segment["index"] for segment in segments] == list(range(len(result["segments"])))
    assert [(one["start_ms"], one["text"]) for one in segments] == [
        (one["start_ms"], one["text"]) for one in result["segments"]
    ]
    assert len({event_id for event_id, _, _ in heard}) == len(heard)
    right = sum(one["text"] == said for one, said in zip(segments, cycle(SAID), strict=False))
    assert right > 0.9 * len(segments)
