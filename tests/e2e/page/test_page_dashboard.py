"""The dashboard: what it shows is how the service is."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Service
from tests.e2e.page.conftest import Opened, row
from tests.e2e.test_faults import pid_of

NOW_MS = 1_767_225_600_000


def answering(body: Any, status: int = 200) -> Callable[[Route], None]:
    """A handler that gives this answer."""
    return lambda route: route.fulfill(status=status, json=body)


def test_busy(opened: Opened, sensevoice: Service, lecture: Path) -> None:
    """An instance at work is busy, and its job has a bar."""
    page = opened("#/dashboard")
    expect(page.locator("#instances tbody tr")).to_have_count(2)
    page.wait_for_selector(f"{row('instance-1')} .state.idle")
    page.wait_for_selector(f"{row('instance-2')} .state.idle")

    with sensevoice.client() as client:
        jobs = [client.post("/jobs", files={"file": lecture.read_bytes()}).json()["id"] for _ in range(3)]
        page.wait_for_selector("#instances .state.busy")
        page.wait_for_selector("#running progress")
        for job in jobs:
            client.delete(f"/jobs/{job}")

    page.wait_for_selector(f"{row('instance-1')} .state.idle")
    expect(page.locator("#running li")).to_have_count(0)


def test_lost_instance(opened: Opened, sensevoice: Service) -> None:
    """An instance that hangs turns red and is called lost; it recovers when it goes on."""
    page = opened("#/dashboard")
    page.wait_for_selector(f"{row('instance-1')} .state.idle")
    pid = pid_of(sensevoice, "instance-1")

    os.kill(pid, signal.SIGSTOP)
    try:
        state = page.wait_for_selector(f"{row('instance-1')} .state.lost")
        assert state is not None
        assert state.inner_text() == "lost"
        red = page.evaluate("node => getComputedStyle(node).color", state)
        assert red == "rgb(179, 38, 30)"
    finally:
        os.kill(pid, signal.SIGCONT)

    page.wait_for_selector(f"{row('instance-1')} .state.idle")


def test_unhealthy(opened: Opened, sensevoice: Service) -> None:
    """503 with a report is shown as what it is; no answer at all too."""
    with sensevoice.client() as client:
        report = client.get("/health").json()
    reason = "there is not enough memory on this GPU"
    for one in report["health_details"]:
        one |= {"state": "error", "healthy": False, "reason": reason}
    report |= {"status": "unhealthy", "healthy_instances": 0, "model": None}
    page = opened("#/dashboard")
    page.wait_for_selector("#tiles .healthy")

    page.route("**/health", answering(report, 503))
    page.wait_for_selector("#tiles .unhealthy")
    expect(page.locator(f"{row('instance-1')} .reason")).to_have_text(reason)

    page.unroute("**/health")
    page.route("**/health", lambda route: route.abort())
    page.wait_for_selector("#tiles .away")


def test_gpus(opened: Opened) -> None:
    """They have charts of their own."""
    page = opened()
    page.route(
        "**/monitoring/history?*", answering({"snapshots": [snapshot(minute) for minute in range(60)]})
    )

    page.click("#to-dashboard")

    chart = page.get_by_role("img", name="GPU utilisation")
    expect(chart).to_have_attribute("aria-label", "GPU utilisation. GPU 0: now 100%, mean 50%, highest 100%")
    expect(page.locator("#charts figure")).to_have_count(10)


def test_without_monitoring(opened: Opened) -> None:
    """A service without history, alerts and logs: quiet notes, and nobody asks again."""
    page = opened()
    asked: list[str] = []

    def missing(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, json={"status": 404, "title": "Not Found", "detail": "Not Found"})

    page.route("**/monitoring/**", missing)

    page.click("#to-dashboard")

    for part in ("history", "alerts", "log"):
        expect(page.locator(f"#{part}-note")).to_have_text("Not available on this service.")
    page.wait_for_selector("#tiles .healthy")
    page.wait_for_timeout(6_000)
    assert len(asked) == 3


@pytest.mark.parametrize("hidden", [True, False])
def test_asks_only_while_looked_at(opened: Opened, *, hidden: bool) -> None:
    """Nothing is asked in a tab that nobody sees, nor for the dashboard from another view."""
    page = opened("#/dashboard")
    page.wait_for_selector("#tiles .healthy")

    if hidden:
        page.evaluate("""() => {
            Object.defineProperty(document, "hidden", { get: () => true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
    else:
        page.click("#to-transcribe")
    page.wait_for_timeout(1_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4_500)

    assert [url for url in asked if hidden or "/stats" in url or "/monitoring" in url] == []


def snapshot(minute: int) -> dict[str, Any]:
    """What the monitor saw in a minute of the last hour."""
    return {
        "at_ms": NOW_MS + minute * 60_000,
        "health": "healthy",
        "healthy_instances": 2,
        "queue": {"waiting_jobs": 1, "running_jobs": 1, "oldest_s": 0.0, "segments_waiting": minute},
        "requests_per_s": float(minute),
        "success_rate": 1.0,
        "rtfx": 12.3,
        "latency_s": {"p50": 0.03, "p95": 0.2, "p99": 1.4} if minute % 7 else None,
        "instances": [{"name": "instance-1", "busy": 0.4 if minute else None, "rss_mb": 300, "gpu_mb": None}],
        "cpu": 0.43,
        "memory_mb": 2_000,
        "disk_free_mb": 9_000,
        "gpus": [{"index": 0, "utilisation": minute / 59, "memory_mb": 4_000}],
        "alerts": [],
    }


def test_theme(opened: Opened) -> None:
    """The switch goes from the system's colours to light and dark, and is remembered."""
    page = opened("#/dashboard")

    def ground(of: Page) -> str:
        return str(of.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    light = ground(page)
    page.click("#theme")
    assert ground(page) == light
    page.click("#theme")
    dark = ground(page)
    assert dark != light
    page.reload()
    assert ground(page) == dark
