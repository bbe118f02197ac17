"""What everything but recognition takes, when there is nothing else to do."""

import time
from pathlib import Path
from typing import Final

import httpx

from loadtest.bench import services, speech
from loadtest.bench.rows import Found, Size
from loadtest.percentiles import percentile

#: Requests, one after the other.
REQUESTS: Final = {Size.QUICK: 20, Size.USUAL: 200, Size.FULL: 1000}

WARMING_REQUESTS: Final = 20

CLIP_S: Final = 2


def measure(size: Size, folder: Path) -> Found:
    """From a request to its answer, over one connection, with an engine that answers at once.

    Raises:
        NotServed: the service cannot be started.
    """
    file = speech.wav(speech.talk(CLIP_S))
    with services.service(folder, services.INSTANT) as service, service.client() as http:
        for _ in range(WARMING_REQUESTS):
            _ask_ms(http, file)
        took_ms = sorted(_ask_ms(http, file) for _ in range(REQUESTS[size]))
    return Found(
        values={"p50": percentile(took_ms, 0.5), "p95": percentile(took_ms, 0.95)},
        how=f"{REQUESTS[size]} requests one after the other over one connection, a wav of {CLIP_S} s, "
        f"{services.INSTANCES} instances whose engine answers at once",
    )


def _ask_ms(http: httpx.Client, file: bytes) -> float:
    began_s = time.perf_counter()
    http.post("/asr", files={"file": ("talk.wav", file)}).raise_for_status()
    return (time.perf_counter() - began_s) * 1000
