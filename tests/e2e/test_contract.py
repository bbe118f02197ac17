"""The endpoints for operators, and the OpenAPI document."""

import re

import httpx
import pytest

from api.log_listener import MOST_STREAMS
from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded


def test_health(http: httpx.Client) -> None:
    """Five instances, all healthy, and what they run."""
    answer = http.get("/health")

    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == "healthy"
    assert (body["total_instances"], body["healthy_instances"], body["unhealthy_instances"]) == (5, 5, 0)
    assert body["health_ratio"] == 1
    assert [detail["instance"] for detail in body["health_details"]] == [f"instance-{n}" for n in range(1, 6)]
    assert len({detail["pid"] for detail in body["health_details"]}) == 5
    assert body["model"]["model"] == "whisper-base"


def test_probes(http: httpx.Client) -> None:
    """Orchestrators are told that it lives and is ready."""
    assert http.get("/health/live").status_code == 200
    assert http.get("/health/ready").status_code == 200


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/metrics", "/docs", "/nowhere"])
def test_head(http: httpx.Client, path: str) -> None:
    """What looks whether the service is up is told so, with the headers that GET has, and no body."""
    asked, head = http.get(path), http.head(path)

    assert (head.status_code, head.content) == (asked.status_code, b"")
    assert head.headers["content-type"] == asked.headers["content-type"]
    assert http.head("/asr").status_code == 405


def test_head_of_a_stream(http: httpx.Client) -> None:
    """It ends with its headers: more than may follow the log at once have asked, and left."""
    for _ in range(MOST_STREAMS + 1):
        assert http.head("/monitoring/logs").status_code == 200
    with http.stream("GET", "/monitoring/logs") as followed:
        assert followed.status_code == 200


def test_stats_count_requests(http: httpx.Client) -> None:
    """One segment recognised is one request more, for one instance."""
    before = http.get("/stats").json()["model_pool_stats"]
    file = encoded(clips("en")[1].audio, "wav")
    http.post("/asr", files={"file": ("a.wav", file)}, data={"lang": "en"})

    answer = http.get("/stats").json()

    after = answer["model_pool_stats"]
    assert after["total_requests"] == before["total_requests"] + 1
    assert after["successful_requests"] == before["successful_requests"] + 1
    assert after["total_instances"] == len(after["instances"]) == 5
    assert answer["pool_status"]["pool_size"] == 5
    assert sum(answer["pool_status"]["status_distribution"].values()) == 5


def test_openapi(http: httpx.Client) -> None:
    """The document describes every endpoint, with examples; the page needs nothing from elsewhere."""
    document = http.get("/docs/openapi.json").json()

    assert {"/asr", "/asr_simple", "/health", "/health/live", "/health/ready", "/stats"} <= set(
        document["paths"]
    )
    assert {"200", "413", "415", "422", "429", "503", "504"} <= set(
        document["paths"]["/asr"]["post"]["responses"]
    )
    jobs = {f"/jobs{rest}" for rest in ("", "/{job_id}", "/{job_id}/result", "/{job_id}/events")}
    assert jobs <= set(document["paths"])
    assert {"202", "413", "415", "422", "429", "503"} <= set(document["paths"]["/jobs"]["post"]["responses"])
    page = http.get("/docs").text
    assert re.search("(src|href)=.?/docs/assets/", page)
    assert not re.search("(src|href)=.?https?:", page)
    assert http.get("/docs/assets/swagger-ui-bundle.js").status_code == 200
