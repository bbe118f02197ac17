"""The dashboard on what a service really says of its last hour, its alerts and its log."""

import itertools
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.doubles.engines import HeldEngine
from tests.e2e.conftest import Service, checkout, started
from tests.e2e.page.conftest import Opened, row
from tests.e2e.test_faults import await_that, pid_of
from tests.media import wav

#: `always` fires from the first look on, `instances_down` while one of the two is.
RULES = """
[[rule]]
name = "always"
quantity = "healthy_instances"
above = -1
severity = "warning"
summary = "there are instances"

[[rule]]
name = "instances_down"
quantity = "healthy_instances"
below = 2
severity = "critical"
summary = "an instance is down"
"""

#: Every request has this recording, and only one test asks `/asr_simple`.
AUDIO_S = 4
FILE = {"file": ("a.wav", wav(np.random.default_rng(1).normal(0, 0.1, AUDIO_S * 16_000)))}
REQUESTS = 5

#: `--good`, `--warn` and `--bad` in light colours.
GREEN, AMBER, RED = "rgb(20, 113, 60)", "rgb(138, 83, 0)", "rgb(179, 38, 30)"

UNITS = {"%": 0.01, "GB": 1024.0, "ms": 0.001}

Snapshot = dict[str, Any]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances that answer at once, looked at every second."""
    home = tmp_path_factory.mktemp("watched")
    (home / "rules.toml").write_text(RULES)
    settings = {"ASR_MODEL": "tests.doubles.engines:HeldEngine", "ASR_INSTANCES": "2"}
    yield from started(checkout(home, **settings, ASR_MONITOR_INTERVAL_S="1", ASR_ALERTS="rules.toml"))


@pytest.fixture
def hold(watched: Service) -> Iterator[Path]:
    """While this file is there, no instance gets done with loading."""
    path = watched.home / HeldEngine.HOLD
    path.touch()
    yield path
    path.unlink(missing_ok=True)


def told(page: Page, chart: str) -> list[float]:
    """The figures that a chart tells those who do not see it: now, mean and highest of each series."""
    label = page.get_by_role("img", name=f"{chart}. ").get_attribute("aria-label") or ""
    found = re.findall(r"(?:now|mean|highest) ([\d.]+) ?([^\s,;]*)", label)
    return [float(figure) * UNITS.get(unit, 1.0) for figure, unit in found]


def summary(snapshots: list[Snapshot], pick: Callable[[Snapshot], float | None]) -> list[float]:
    """The same from the snapshots."""
    values = [value for value in map(pick, snapshots) if value is not None]
    return [values[-1], sum(values) / len(values), max(values)]


def total(snapshots: list[Snapshot], rate: str) -> float:
    """What a rate comes to."""
    return float(sum(one[rate] * one["interval_s"] for one in snapshots))


def percentile(name: str) -> Callable[[Snapshot], float | None]:
    """What picks it, where there were requests to measure."""
    return lambda one: one["latency_s"] and one["latency_s"][name]


def mentioning(page: Page, *texts: str) -> Locator:
    """The entries of the log that have all these texts."""
    found = page.locator("#log .entry")
    for text in texts:
        found = found.filter(has_text=text)
    return found


def processes(page: Page) -> set[str]:
    """Whose entries the log shows."""
    return set(page.locator("#log .entry > :nth-child(3)").all_inner_texts())


def test_last_hour(opened: Opened, watched: Service) -> None:
    """The charts are of the requests that there were, and of this machine."""
    with watched.client() as client:
        for _ in range(REQUESTS):
            assert client.post("/asr_simple", files=FILE).status_code == 200

        def settled() -> bool:
            seen: list[Snapshot] = client.get("/monitoring/history?minutes=60").json()["snapshots"]
            simple = sum(one["endpoints"].get("asr_simple", {"requests": 0})["requests"] for one in seen)
            heard_s = AUDIO_S * sum(one["requests"] for one in seen)
            return len(seen) >= 2 and simple == REQUESTS and abs(total(seen, "rtfx") - heard_s) < 0.1

        await_that(settled)
    page = opened(service=watched)

    with page.expect_response("**/monitoring/history?*") as answer:
        page.click("#to-dashboard")
    snapshots: list[Snapshot] = answer.value.json()["snapshots"]
    expect(page.locator("#charts figure")).to_have_count(8)

    requests = sum(one["requests"] for one in snapshots)
    assert total(snapshots, "requests_per_s") == pytest.approx(requests, abs=0.1)
    figures: dict[str, Callable[[Snapshot], float | None]] = {
        "Requests per second": lambda one: one["requests_per_s"],
        "Speed, times real time": lambda one: one["rtfx"],
        "Instances busy": lambda one: sum(worker["busy"] for worker in one["instances"]) / 2,
        "Processor": lambda one: one["cpu"],
        "Memory": lambda one: one["memory_mb"],
        "Success rate": lambda one: one["success_rate"],
    }
    for chart, pick in figures.items():
        assert told(page, chart) == pytest.approx(summary(snapshots, pick), rel=0.06, abs=0.006), chart
    assert told(page, "Requests per second")[2] > 0
    latencies = [summary(snapshots, percentile(name)) for name in ("p50", "p95", "p99")]
    assert told(page, "Latency") == pytest.approx(list(itertools.chain(*latencies)), rel=0.06, abs=0.0006)


def test_log(opened: Opened, watched: Service) -> None:
    """The log goes on with what happens, and shows what is chosen and nothing else."""
    page = opened("#/dashboard", service=watched)
    page.wait_for_selector("#log .entry")

    with watched.client() as client:
        job = client.post("/jobs", files=FILE, data={"vad": "false"}).json()["id"]

    answered = mentioning(page, "request.answered", "method=POST path=/jobs status=202", job)
    ended = mentioning(page, "job.ended", f"state=done audio_ms={AUDIO_S * 1000} segments=1 failed=0", job)
    expect(answered).to_have_count(1)
    expect(ended).to_have_count(1)
    recogniser = ended.locator("> :nth-child(3)").inner_text()
    assert re.fullmatch(r"(instance|segmenter)-[12]", recogniser)
    assert {"api", "monitor", recogniser} <= processes(page)

    page.select_option("#log-process", recogniser)
    expect(ended).to_have_count(1)
    assert processes(page) == {recogniser}

    page.select_option("#log-process", "")
    page.select_option("#log-level", "warning")
    fired = mentioning(page, "alert.firing", "alert=always")
    expect(fired).to_have_count(1)
    assert page.locator("#log .entry:not(.warning, .error)").count() == 0

    page.select_option("#log-process", "api")
    expect(page.locator("#log-note")).to_have_text("Waiting for events…")
    page.select_option("#log-process", "monitor")
    expect(fired).to_have_count(1)
    assert processes(page) == {"monitor"}


def test_a_killed_instance(opened: Opened, watched: Service, hold: Path) -> None:
    """It turns red and says what happened, and the alert fires, until its successor is ready."""
    page = opened("#/dashboard", service=watched)
    state = page.locator(f"{row('instance-2')} .state")
    expect(state).to_have_text("idle")
    alerts = page.locator("#alerts li")
    expect(alerts.first).to_contain_text("always")
    pid = pid_of(watched, "instance-2")

    os.kill(pid, signal.SIGKILL)

    reason = page.locator(f"{row('instance-2')} .reason")
    expect(reason).to_have_text(f"process {pid} ended unexpectedly")
    expect(state).to_have_text("loading")
    expect(state).to_have_css("color", RED)
    expect(page.locator(f"{row('instance-2')} th")).to_have_css(
        "background-image", re.compile("252, 233, 231")
    )
    expect(page.locator(f"{row('instance-1')} .state")).to_have_css("color", GREEN)
    expect(page.locator("#tiles .degraded")).to_be_visible()
    expect(alerts.locator("strong")).to_have_text(["instances_down", "always"])
    expect(alerts.first).to_have_class("alert critical")
    expect(alerts.first).to_contain_text("an instance is down1, threshold 2 · for")

    hold.unlink()

    expect(state).to_have_text("idle")
    expect(state).to_have_css("color", GREEN)
    expect(reason).to_have_count(0)
    expect(page.locator("#tiles .healthy")).to_be_visible()
    expect(alerts.locator("strong")).to_have_text(["always", "instances_down"])
    expect(alerts.last).to_have_class("alert resolved")
    expect(alerts.last).to_contain_text("2, threshold 2")


def test_an_instance_that_was_told_to_stop(opened: Opened, watched: Service, hold: Path) -> None:
    """Its successor loads, and nothing is wrong with that."""
    page = opened("#/dashboard", service=watched)
    state = page.locator(f"{row('instance-1')} .state")
    expect(state).to_have_text("idle")

    os.kill(pid_of(watched, "instance-1"), signal.SIGTERM)

    expect(state).to_have_text("loading")
    expect(state).to_have_css("color", AMBER)
    expect(page.locator(f"{row('instance-1')} .reason")).to_have_count(0)
    hold.unlink()
    expect(state).to_have_text("idle")


def test_a_monitor_that_hangs(opened: Opened, watched: Service) -> None:
    """Then the alerts are those known last, and the page says that nobody knows."""
    page = opened("#/dashboard", service=watched)
    note = page.locator("#alerts-note")
    expect(page.locator("#alerts li").first).to_contain_text("always")
    expect(note).to_have_text("")
    pid = pid_of(watched, "monitor")

    os.kill(pid, signal.SIGSTOP)
    try:
        expect(note).to_have_text(re.compile("^The monitor looked last .+: nobody knows what fires now.$"))
        expect(note).to_have_css("color", RED)
        expect(page.locator("#alerts li").first).to_contain_text("always")
    finally:
        os.kill(pid, signal.SIGCONT)

    expect(note).to_have_text("")
