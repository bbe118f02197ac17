"""Processes that end in order under load: no job that was taken in is lost, and nobody sees an error."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import numpy as np
import pytest

from loadtest.bench import services
from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from loadtest.metrics import Metrics
from tests.e2e.conftest import Service, checkout, started
from tests.e2e.test_faults import await_that, healthy, transcribe
from tests.media import wav

CLIPS = clips("en", "zh")
FILES = [(encoded(clip.audio, "wav"), clip.language) for clip in CLIPS]

USERS = 10

#: Each clip is handed in so often before the restart: more than is done by then.
ROUNDS = 3

#: Those that a rolling restart leaves alone.
STAYING = {"api", "redis", "supervisord"}


@pytest.fixture
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Three instances that lose memory with each batch."""
    settings = {"ASR_MODEL": "tests.doubles.engines:GrowingEngine", "ASR_INSTANCES": "3"}
    home = tmp_path_factory.mktemp("growing")
    yield from started(checkout(home, **settings, ASR_INSTANCE_MAX_MB="300", ASR_BATCH_ROWS="1"))


def test_restart_under_load(service: Service, http: httpx.Client) -> None:
    """Every job that was taken in before goes on behind it, ends once, and with the text it has alone."""
    alone = [transcribe(http, *file) for file in FILES]
    done_before = counted(http, "asr_jobs_total", "done")
    jobs = [
        (hand_in(http, *file), text) for _ in range(ROUNDS) for file, text in zip(FILES, alone, strict=True)
    ]
    not_done = [job for job, _ in jobs if state(http, job) != "done"]
    again = service.run("deploy.service", "restart")

    assert again.returncode == 0, again.stdout + again.stderr
    assert not_done, "the load was over before the restart"
    await_that(lambda: all(state(http, job) not in {"queued", "running"} for job, _ in jobs), 120)
    assert [subtitles(http, job) for job, _ in jobs] == [text for _, text in jobs]
    assert counted(http, "asr_jobs_total", "done") - done_before == len(jobs)


def test_rolling_restart_under_load(service: Service, http: httpx.Client) -> None:
    """Ten users notice nothing, and every worker is another process afterwards."""
    alone = [transcribe(http, *file) for file in FILES]
    before, died_before = pids(service), deaths(http)

    def ask(number: int) -> bool:
        with service.client() as client:
            return transcribe(client, *FILES[number % len(FILES)]) == alone[number % len(FILES)]

    with asking(ask) as answers:
        rolled = service.run("deploy.service", "restart", "--rolling")
    after = pids(service)

    assert rolled.returncode == 0, rolled.stdout + rolled.stderr
    assert len(answers) >= USERS
    assert all(answers)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] == after[name]} == STAYING
    assert healthy(http)
    assert deaths(http) == died_before


def test_instances_that_grow_are_replaced(growing: Service) -> None:
    """One at a time, between batches: nobody notices, and none has died."""
    file = wav(np.zeros(16_000))
    seen: dict[str, set[int]] = defaultdict(set)
    healthy_at_once: list[int] = []

    def ask(_: int) -> bool:
        with growing.client() as client:
            answer = client.post("/asr_simple", files={"file": ("a.wav", file)})
            return bool(answer.json()["data"] == "16000 samples")

    def two_are_new() -> bool:
        health = http.get("/health").json()
        healthy_at_once.append(health["healthy_instances"])
        for instance in health["health_details"]:
            if instance["healthy"]:
                seen[instance["instance"]].add(instance["pid"])
        return sum(len(pids) > 1 for pids in seen.values()) >= 2

    with growing.client() as http:
        with asking(ask) as answers:
            await_that(two_are_new, 120)
        died = deaths(http)

    assert all(answers)
    assert min(healthy_at_once) >= 2
    assert died == 0


@contextmanager
def asking(ask: Callable[[int], bool]) -> Iterator[list[bool]]:
    """So many users ask again and again, for as long as this lasts; what came of it, once it is over."""
    answers: list[bool] = []
    over = threading.Event()

    def user(number: int) -> None:
        while not over.is_set():
            answers.append(ask(number))
            number += 1

    with ThreadPoolExecutor(USERS) as users:
        asked = [users.submit(user, number) for number in range(USERS)]
        try:
            yield answers
        finally:
            over.set()
        for one in asked:
            one.result()


def pids(service: Service) -> dict[str, int]:
    """What supervisord calls its processes → their number."""
    found = services.Service(service.home, service.url, start_s=0).programs()
    return {name: processes[0].pid for name, processes in found.items()}


def hand_in(http: httpx.Client, file: bytes, language: str) -> str:
    """The id of a job."""
    answer = http.post("/jobs", files={"file": ("a.wav", file)}, data={"lang": language})
    job: str = answer.raise_for_status().json()["id"]
    return job


def state(http: httpx.Client, job: str) -> str:
    """The state that a job is in."""
    found: str = http.get(f"/jobs/{job}").raise_for_status().json()["state"]
    return found


def subtitles(http: httpx.Client, job: str) -> str:
    """The result of a job as `/asr` has it."""
    return http.get(f"/jobs/{job}/result", params={"format": "srt"}).raise_for_status().text


def counted(http: httpx.Client, metric: str, label: str) -> float:
    """A counter of the service."""
    return series(http, metric).get((label,), 0)


def deaths(http: httpx.Client) -> float:
    """How many processes have ended without being told to."""
    return sum(series(http, "asr_worker_deaths_total").values())


def series(http: httpx.Client, metric: str) -> dict[tuple[str, ...], float]:
    """Values of the labels → what is counted."""
    return dict(Metrics.parse(http.get("/metrics").raise_for_status().text).series.get(metric, {}))
