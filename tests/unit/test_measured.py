"""Requests are counted whatever becomes of them."""

import asyncio
from typing import Any

import pytest
from litestar.types import Receive, Scope, Send

from actors.meters import METERS
from actors.metrics import REQUESTS, Endpoint, Status
from api.measured import Measured


def counted(method: str, path: str, status: int | None) -> dict[str, int]:
    """What is counted of a request that is answered with a status, or not at all: None raises."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        if status is None:
            raise RuntimeError("it broke")
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})

    async def ignore(*_: Any) -> None:
        pass

    METERS.take()
    scope: Any = {"type": "http", "method": method, "path": path}
    receive: Any = ignore
    try:
        asyncio.run(Measured(app)(scope, receive, ignore))
    except RuntimeError:
        assert status is None
    return METERS.take()


@pytest.mark.parametrize(
    ("path", "status", "endpoint", "counts_as"),
    [
        ("/asr", 200, Endpoint.ASR, Status.OK),
        ("/asr_simple/", 429, Endpoint.ASR_SIMPLE, Status.REFUSED),
        ("/jobs", 202, Endpoint.JOBS, Status.OK),
        ("/v1/audio/transcriptions", 504, Endpoint.OPENAI, Status.FAILED),
        ("/asr", None, Endpoint.ASR, Status.FAILED),
        ("/asr", 0, Endpoint.ASR, Status.REFUSED),  # the client has gone
    ],
)
def test_uploads_are_counted(path: str, status: int | None, endpoint: Endpoint, counts_as: Status) -> None:
    """Once, by endpoint and class of status; only what was answered well says how long that took."""
    fields = counted("POST", path, status)

    assert fields.pop(REQUESTS.field([endpoint, counts_as])) == 1
    assert len(fields) == (2 if counts_as is Status.OK else 0)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/jobs"), ("POST", "/asr/x"), ("GET", "/health"), ("POST", "/jobs/x")]
)
def test_others_are_not(method: str, path: str) -> None:
    """Whoever only asks, or asks for what there is not, counts for nothing."""
    assert counted(method, path, 200) == {}
