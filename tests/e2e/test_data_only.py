"""All that Redis holds while a job is on its way, seen from inside: audio, texts and JSON."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import numpy as np
import redis

from tests.e2e.test_faults import await_that
from tests.media import wav

#: Two segments, one after the other: while the second waits, all kinds of keys are there.
FILE = wav(np.zeros(16_000 * 40))


def test_nothing_in_redis_is_code(api: httpx.Client, redis_url: str) -> None:
    """Each message and result is JSON, the rest text, numbers or samples; nothing begins as a pickle does."""
    job_id = api.post("/jobs", files={"file": ("a.wav", FILE)}, data={"vad": "0"}).json()["id"]
    own = redis_url.removesuffix("/0")
    seen: set[str] = set()

    def look() -> bool:
        for number in (4, 5):
            with redis.Redis.from_url(f"{own}/{number}") as client:
                for key, value in everything(client):
                    kind = check(key, value)
                    seen.add(kind)
        return bool(api.get(f"/jobs/{job_id}").json()["state"] == "done")

    await_that(look)

    assert {"message", "result", "json", "text", "samples"} <= seen


def check(key: str, value: bytes) -> str:
    """What a value is; one that is none of these fails the test."""
    if key.endswith((":audio", ":upload")):
        return "samples"
    assert not value.startswith((b"\x80", b"c__", b"(dp", b"(lp")), (key, value[:20])
    if key.startswith("dramatiq:") and key.endswith(".msgs"):
        msgspec.json.decode(value)
        return "message"
    if key.startswith("asr:result:"):
        msgspec.json.decode(value)
        return "result"
    text = value.decode()
    if text.startswith(("{", "[")):
        msgspec.json.decode(value)
        return "json"
    return "text"


def everything(client: Any) -> Iterator[tuple[str, bytes]]:
    """Each value of each key; what goes meanwhile is left out."""
    for found in client.scan_iter():
        key = found.decode()
        match client.type(found):
            case b"string":
                values = [client.get(found) or b""]
            case b"list":
                values = client.lrange(found, 0, -1)
            case b"set":
                values = list(client.smembers(found))
            case b"zset":
                values = client.zrange(found, 0, -1)
            case b"hash":
                values = list(client.hgetall(found).values())
            case b"stream":
                values = [one for _, fields in client.xrange(found) for one in fields.values()]
            case b"none":
                values = []
            case other:
                raise AssertionError(f"{key} is a {other!r}")
        for value in values:
            yield key, value
