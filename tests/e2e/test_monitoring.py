"""What an operator sees while instances hang: metrics, health, the alert, and its end."""

import functools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.doubles.engines import HeldEngine
from tests.e2e.conftest import Service, checkout, started
from tests.e2e.test_faults import await_that, pid_of
from tests.media import wav

RULES = """
[[rule]]
name = "instances_down"
quantity = "healthy_instances"
below = 3
for_s = 1
severity = "critical"
summary = "an instance is down"

[[rule]]
name = "requests_fail"
quantity = "success_rate"
below = 0.99
summary = "requests fail"
"""

FILE = wav(np.random.default_rng(1).normal(0, 0.1, 16_000))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Three instances that answer at once, looked at every second."""
    home = tmp_path_factory.mktemp("watched")
    (home / "rules.toml").write_text(RULES)
    yield from started(
        checkout(
            home,
            ASR_MODEL="tests.doubles.engines:InstantEngine",
            ASR_INSTANCES="3",
            ASR_MONITOR_INTERVAL_S="1",
            ASR_ALERTS="rules.toml",
        )
    )


@pytest.fixture
def client(watched: Service) -> Iterator[httpx.Client]:
    """A client of that service."""
    with watched.client() as client:
        yield client


def metrics(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels, as Prometheus' own parser reads them."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """How a sample is found."""
    return name, frozenset(labels.items())


def alerts(client: httpx.Client) -> list[tuple[str, str]]:
    """The alerts and their states."""
    return [(alert["name"], alert["state"]) for alert in client.get("/monitoring/alerts").json()["alerts"]]


def newest(client: httpx.Client) -> dict[str, Any]:
    """What the monitor saw last."""
    snapshot: dict[str, Any] = client.get("/monitoring/history").json()["snapshots"][-1]
    return snapshot


def deaths(client: httpx.Client) -> dict[str, float]:
    """Worker → how often it has died."""
    counted = metrics(client).items()
    return {dict(labels)["worker"]: n for (name, labels), n in counted if name == "asr_worker_deaths_total"}


def told(service: Service) -> tuple[int, int]:
    """How often the log says that an alert fires, and that one is resolved."""
    log = (service.home / ".quintet" / "logs" / "monitor.log").read_text()
    return log.count('"alert.firing"'), log.count('"alert.resolved"')


def test_a_snapshot(client: httpx.Client, watched: Service) -> None:
    """It has what the page shows, in Redis as in the file."""
    client.post("/asr_simple", files={"file": ("a.wav", FILE)})
    await_that(lambda: any(s["latency_s"] for s in client.get("/monitoring/history").json()["snapshots"]))

    seen = newest(client)

    assert (seen["health"], seen["healthy_instances"], seen["gpus"]) == ("healthy", 3, [])
    assert seen["queue"].keys() >= {"waiting_jobs", "running_jobs", "oldest_s", "segments_waiting"}
    assert [one["name"] for one in seen["instances"]] == ["instance-1", "instance-2", "instance-3"]
    assert all(0 <= one["busy"] <= 1 and one["rss_mb"] > 0 for one in seen["instances"])
    assert seen["disk_free_mb"] > 0
    (file,) = Path(watched.home, "monitoring_logs").glob("monitoring_*.json")
    assert f'"at_ms":{seen["at_ms"]},' in file.read_text()


def test_two_instances_hang(client: httpx.Client, watched: Service) -> None:
    """The alert fires once and resolves once; the service is degraded meanwhile, and works."""
    # While it starts there are fewer instances, too.
    await_that(
        lambda: ("instances_down", "firing") not in alerts(client) and newest(client)["health"] == "healthy"
    )
    before = told(watched)
    pids = [detail["pid"] for detail in client.get("/health").json()["health_details"]][:2]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await_that(lambda: alerts(client) == [("instances_down", "firing")])
        assert client.get("/health").json()["status"] == "degraded"
        assert newest(client)["health"] == "degraded"
        shown = watched.run("deploy.alerts")
        assert "instances_down" in shown.stdout, shown.stdout + shown.stderr
        assert shown.returncode == 1
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    await_that(lambda: alerts(client) == [("instances_down", "resolved")])
    await_that(lambda: client.get("/health").json()["status"] == "healthy")

    assert told(watched) == (before[0] + 1, before[1] + 1)
    assert watched.run("deploy.alerts").returncode == 0


@pytest.fixture
def usual(tmp_path: Path) -> Iterator[Service]:
    """Three instances that answer at once, looked at every five seconds, with the usual rules."""
    settings = {"ASR_MODEL": "tests.doubles.engines:HeldEngine", "ASR_INSTANCES": "3"}
    yield from started(checkout(tmp_path, **settings, ASR_MONITOR_INTERVAL_S="5"))


def test_metrics(usual: Service) -> None:
    """A request moves every counter that it should, and an upload that is refused its own."""
    with usual.client() as client:
        assert client.post("/asr_simple", files={"file": ("a.wav", FILE)}).status_code == 200
        assert client.post("/asr", files={"file": ("a.wav", b"no audio")}).status_code == 415

        def is_one(name: str, **labels: str) -> bool:
            return metrics(client).get(of(name, **labels)) == 1

        await_that(lambda: is_one("asr_requests_total", endpoint="asr", status="4xx"))
        await_that(lambda: is_one("asr_segments_total", outcome="recognised"))
        for stage in ("queue", "decode", "vad", "wait", "recognise", "assemble"):
            await_that(functools.partial(is_one, "asr_stage_duration_seconds_count", stage=stage))
        assert is_one("asr_requests_total", endpoint="asr_simple", status="2xx")
        assert is_one("asr_request_duration_seconds_count", endpoint="asr_simple")
        assert is_one("asr_audio_seconds_total")
        assert is_one("asr_jobs_total", state="done")
        counted = metrics(client)
        assert counted[of("asr_upload_bytes_total")] == len(FILE)
        assert counted[of("asr_instances", state="idle")] == 3


def test_two_instances_are_killed(usual: Service) -> None:
    """However soon they are back: the service is degraded, the alert fires once, and resolves once."""
    with usual.client() as client:
        before = told(usual)
        pids = [pid_of(usual, name) for name in ("instance-1", "instance-2")]
        hold = usual.home / HeldEngine.HOLD
        hold.touch()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

        await_that(lambda: client.get("/health").json()["status"] == "degraded")
        await_that(
            lambda: deaths(client) == {"instance-1": 1, "instance-2": 1, "instance-3": 0, "segmenter-1": 0}
        )
        hold.unlink()
        await_that(lambda: ("worker_died", "resolved") in alerts(client))
        await_that(lambda: client.get("/health").json()["status"] == "healthy")

    assert told(usual) == (before[0] + 1, before[1] + 1)


def test_the_monitor_hangs(client: httpx.Client, watched: Service) -> None:
    """Its silence is not taken for good news: who asks is told since when nobody knows."""
    await_that(lambda: not client.get("/monitoring/alerts").json()["is_stale"])
    assert metrics(client)[of("asr_monitor_up")] == 1
    pid = pid_of(watched, "monitor")
    os.kill(pid, signal.SIGSTOP)
    try:
        await_that(lambda: client.get("/monitoring/alerts").json()["is_stale"])
        judged_ms = client.get("/monitoring/alerts").json()["judged_ms"]
        assert 0 <= judged_ms - newest(client)["at_ms"] < 2_000  # it may have stopped between the two
        assert metrics(client)[of("asr_monitor_up")] == 0
        assert metrics(client)[of("asr_monitor_last_look_timestamp_seconds")] == judged_ms / 1000
        shown = watched.run("deploy.alerts")
        assert "The monitor has not looked since" in shown.stderr, shown.stdout + shown.stderr
        assert shown.returncode == 2
    finally:
        os.kill(pid, signal.SIGCONT)
    await_that(lambda: not client.get("/monitoring/alerts").json()["is_stale"])


def test_the_contract(client: httpx.Client) -> None:
    """All of it is in the OpenAPI document, and a bad parameter is refused."""
    paths = client.get("/docs/openapi.json").json()["paths"]

    assert {"/metrics", "/monitoring/history", "/monitoring/alerts"} <= set(paths)
    assert client.get("/monitoring/history?minutes=61").status_code == 422


def test_bad_rules_are_refused(watched: Service) -> None:
    """`restart` does not stop a service that works for a table that does not."""
    (watched.home / "bad.toml").write_text(RULES.replace("below = 3", 'below = "three"'))

    refused = watched.run("deploy.service", "restart", env={"ASR_ALERTS": "bad.toml"})

    assert refused.returncode == 1
    assert "bad.toml, line 2 (instances_down): Expected `float | null`, got `str`" in refused.stderr
    assert watched.run("deploy.service", "status").returncode == 0
