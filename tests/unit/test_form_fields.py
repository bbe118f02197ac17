"""What a form or a header may not say is refused with a sentence that helps whoever has sent it."""

import functools
from typing import Any

import httpx
import pytest

from actors.settings import Settings

#: What Litestar would rather have written in another way.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@functools.cache
def service() -> Any:
    """The application, which never gets as far as Redis."""
    from api.app import create_app
    from api.callers import Callers

    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    app = create_app(settings, Callers(settings))
    app.state.recognizer = None
    return app


async def hand_in(path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
    """An upload with these fields."""
    transport = httpx.ASGITransport(service())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        return await http.post(path, data=fields, files={"file": ("a.wav", b"RIFF")}, headers=headers)


@pytest.mark.parametrize("path", ["/asr", "/asr_simple", "/jobs"])
async def test_a_field_that_there_is_not(path: str) -> None:
    """Not ignored, or a language under another name would go unheard; the message names those there are."""
    answer = await hand_in(path, {"language": "en"})

    assert answer.status_code == 422
    said = answer.json().get("msg") or answer.json()["detail"]
    assert said.startswith("language: is not supported; the fields are file, lang, itn, ")


async def test_a_field_that_openai_has_and_we_have_not() -> None:
    """It is the parameter at fault."""
    answer = await hand_in("/v1/audio/transcriptions", {"model": "whisper-1", "include[]": "logprobs"})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "include[]"
    assert "timestamp_granularities[], stream" in answer.json()["error"]["message"]


async def test_a_bad_header() -> None:
    """It is called as the client has sent it."""
    answer = await hand_in("/jobs", {}, {"Idempotency-Key": "k" * 201})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Idempotency-Key: ")
