"""The access log."""

import asyncio
import contextlib
from typing import Any

import pytest
import structlog
from litestar.types import Receive, Scope, Send
from structlog.testing import capture_logs

from api.logged import Logged, request_id

JOB = "0b4f66aa" * 4


def logged(path: str | None, *, status: int | None = 200, **params: str) -> list[dict[str, Any]]:
    """What is logged of a request to a path of the application; None is a path that it does not have."""

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        if path is not None:
            scope["path_template"] = path
        scope["path_params"] = params
        if status is None:
            raise RuntimeError
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def nothing(*_: object) -> Any:
        return None

    scope: Any = {"type": "http", "method": "GET", "path": "/secret"}
    merged = capture_logs(processors=[structlog.contextvars.merge_contextvars])
    with merged as events, contextlib.suppress(RuntimeError):
        asyncio.run(Logged(app)(scope, nothing, nothing))
    return [dict(event) for event in events]


def test_a_request() -> None:
    """It comes, and is answered; the path is a template, the job the one that it names."""
    received, answered = logged("/jobs/{job_id}", job_id=JOB)

    assert (received["event"], received["log_level"]) == ("request.received", "debug")
    assert (answered["event"], answered["log_level"]) == ("request.answered", "info")
    assert answered["took_ms"] >= 0
    for event in (received, answered):
        assert (event["method"], event["path"], event["job"]) == ("GET", "/jobs/{job_id}", JOB)
    assert received["request"] == answered["request"]
    assert answered["status"] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/health/ready",
        "/stats",
        "/metrics",
        "/monitoring/history",
        "/monitoring/alerts",
        "/",
        "/page/{name}",
        "/docs/assets/{file_path}",
    ],
)
def test_what_is_asked_all_the_time_is_quiet(path: str) -> None:
    """Such requests are told of at debug."""
    assert {event["log_level"] for event in logged(path)} == {"debug"}


def test_what_a_client_made_up_is_not_logged() -> None:
    """A path that leads nowhere, and an id that is none, may be anything."""
    assert "secret" not in str(logged(None, status=404))
    assert "secret" not in str(logged("/jobs/{job_id}", status=404, job_id="secret"))


def test_a_crash_is_answered_with_500() -> None:
    """As uvicorn does it."""
    assert logged("/asr", status=None)[-1]["status"] == 500


def test_ids_of_requests() -> None:
    """Where there is no request, each is another."""
    assert request_id() != request_id()
