"""How short requests fare alone and beside a long recording: `python -m tests.bench_lanes`, service running.

A client sends a 5-second recording again and again, first alone, then while a job of the given length runs,
then alone again. It prints the latencies of each stretch.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final

import httpx

from actors.records import SAMPLE_RATE_HZ
from deploy.client import authorization, url
from loadtest.corpus.clips import clips, joined, samples_of
from loadtest.corpus.encoding import encoded
from tests.media import wav

SHORT_MS: Final = 5_000
PAUSE_S: Final = 0.2
PAUSE_BETWEEN_MS: Final = 300
ALONE: Final = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./justw bench-lanes", description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--lang", default="en")
    asked = parser.parse_args()
    speech = joined(clips("en"), PAUSE_BETWEEN_MS)
    short = wav(samples_of(speech)[: SHORT_MS * SAMPLE_RATE_HZ // 1000])
    long = encoded(speech * (int(asked.hours * 3_600_000) // len(speech) + 1), "m4a")
    with httpx.Client(base_url=url(), headers=authorization(), timeout=600, trust_env=False) as client:
        report("alone", list(latencies(client, short, asked.lang, count(ALONE))))
        form = {"file": ("long.m4a", long)}
        job = client.post("/jobs", files=form, data={"lang": asked.lang}).raise_for_status().json()
        began_s = time.monotonic()
        beside = list(latencies(client, short, asked.lang, lambda: running(client, job["id"])))
        report(f"beside {asked.hours:g} h", beside)
        took_s = time.monotonic() - began_s
        print(f"the long one: {took_s:.0f} s, {asked.hours * 3600 / took_s:.1f} times real time")  # noqa: T201
        report("alone again", list(latencies(client, short, asked.lang, count(ALONE))))


def latencies(client: httpx.Client, file: bytes, lang: str, goes_on: Callable[[], bool]) -> Iterator[float]:
    """Seconds that each request takes."""
    while goes_on():
        began_s = time.perf_counter()
        client.post("/asr", files={"file": ("a.wav", file)}, data={"lang": lang}).raise_for_status()
        yield time.perf_counter() - began_s
        time.sleep(PAUSE_S)


def count(most: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(most))
    return lambda: next(left, None) is not None


def running(client: httpx.Client, job_id: str) -> bool:
    """Whether a job goes on."""
    return client.get(f"/jobs/{job_id}").json()["state"] in {"queued", "running"}


def report(name: str, seconds: list[float]) -> None:
    """Print the percentiles."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    p50, p95, p99 = (cuts[percent - 1] for percent in (50, 95, 99))
    print(f"{name}: {len(seconds)} requests, p50 {p50:.3f} s, p95 {p95:.3f} s, p99 {p99:.3f} s")  # noqa: T201


if __name__ == "__main__":
    main()
