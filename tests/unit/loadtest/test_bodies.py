"""Forms are what the endpoints read: parsed back by an independent parser."""

import io
from pathlib import Path

import multipart
import pytest

from loadtest.corpus import Recording
from loadtest.load.bodies import Body, body
from loadtest.plan import Endpoint, Plan

SOUND = bytes(range(256)) * 40


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """A file whose name and content need care in a form."""
    path = tmp_path / 'talk "ü".wav'
    path.write_bytes(SOUND)
    return Recording(name="talk", path=path, language="en", audio_s=1)


def read(form: Body) -> tuple[dict[str, str], bytes]:
    """The fields of a form, and its file."""
    kind, options = multipart.parse_options_header(form.content_type)
    assert kind == "multipart/form-data"
    parts = list(multipart.MultipartParser(io.BytesIO(form.content), options["boundary"]))
    fields = {str(part.name): part.value for part in parts if part.name != "file"}
    (file,) = (part for part in parts if part.name == "file")
    return fields, bytes(file.raw)


@pytest.mark.parametrize("endpoint", ["asr", "asr_simple", "jobs"])
def test_form_of_ours(recording: Recording, endpoint: str) -> None:
    """The file as it is, and the language."""
    plan = Plan(api_url="http://127.0.0.1:1", endpoint=Endpoint(endpoint), language="zh")

    assert read(body(recording, plan)) == ({"lang": "zh"}, SOUND)


@pytest.mark.parametrize(
    ("endpoint", "language", "fields"),
    [
        ("openai", "auto", {"model": "whisper-1"}),
        ("openai", "en", {"model": "whisper-1", "language": "en"}),
        ("stream", "auto", {"model": "whisper-1", "stream": "true"}),
    ],
)
def test_form_of_openai(recording: Recording, endpoint: str, language: str, fields: dict[str, str]) -> None:
    """Only what its contract has: unknown fields are refused."""
    plan = Plan(api_url="http://127.0.0.1:1", endpoint=Endpoint(endpoint), language=language)  # type: ignore[arg-type]

    assert read(body(recording, plan)) == (fields, SOUND)
