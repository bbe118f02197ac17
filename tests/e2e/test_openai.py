"""The unmodified `openai` package works with another base URL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pysubs2
import pytest
from openai import OpenAI

from loadtest.corpus.clips import Clip, joined
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service
from tests.sensevoice import SAMPLES

#: Samples that the small model hears right also where VAD cuts them out, its language detected.
SAID = ("421", "881", "421")


@pytest.fixture
def client(sensevoice: Service) -> Iterator[OpenAI]:
    """The client as its users make it."""
    with OpenAI(
        base_url=f"{sensevoice.url}/v1",
        api_key="none",
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    ) as connected:
        yield connected


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three samples with pauses between."""
    parts = [Clip(SAMPLES / "en" / f"{digits}.wav", "en", digits) for digits in SAID]
    file = tmp_path_factory.mktemp("recording") / "three.flac"
    file.write_bytes(encoded(joined(parts, 1_500), "flac"))
    return file


def transcribe(client: OpenAI, recording: Path, **options: Any) -> Any:
    """Through the package, with the name that most programs have written into them."""
    with recording.open("rb") as file:
        return client.audio.transcriptions.create(file=file, model="whisper-1", **options)


def test_json(client: OpenAI, recording: Path) -> None:
    """The default format, with the length as usage."""
    answer = transcribe(client, recording, language="en", prompt="digits", temperature=0)

    assert answer.text == " ".join(SAID)
    assert answer.usage.seconds > 5


def test_text(client: OpenAI, recording: Path) -> None:
    """Plain text."""
    assert transcribe(client, recording, response_format="text") == " ".join(SAID) + "\n"


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles(client: OpenAI, recording: Path, kind: Any) -> None:
    """As an independent library reads them."""
    cues = pysubs2.SSAFile.from_string(transcribe(client, recording, response_format=kind), format_=kind)

    assert tuple(cue.plaintext for cue in cues) == SAID


def test_verbose_json(client: OpenAI, recording: Path) -> None:
    """Segments and words with their times; all that clients look for is there."""
    answer = transcribe(
        client, recording, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )

    assert (answer.task, answer.language, answer.text) == ("transcribe", "english", " ".join(SAID))
    assert tuple(segment.text for segment in answer.segments) == SAID
    assert [segment.id for segment in answer.segments] == [0, 1, 2]
    assert tuple(word.word for word in answer.words) == SAID
    edges = [edge for word in answer.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert edges[-1] < answer.duration


def test_only_words(client: OpenAI, recording: Path) -> None:
    """One granularity brings no other."""
    answer = transcribe(client, recording, response_format="verbose_json", timestamp_granularities=["word"])

    assert answer.words
    assert answer.segments is None


def test_stream(client: OpenAI, recording: Path) -> None:
    """A delta for each segment; joined they are the text of the last event."""
    events = list(transcribe(client, recording, stream=True))

    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) == len(SAID)
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == "".join(deltas) == " ".join(SAID)


def test_models(client: OpenAI) -> None:
    """The model that runs comes first."""
    names = [model.id for model in client.models.list()]

    assert names[:2] == ["model", "whisper-1"]
    assert client.models.retrieve("whisper-1").id == "whisper-1"
    with pytest.raises(openai.NotFoundError, match="there is no 'gpt-2'"):
        client.models.retrieve("gpt-2")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "temperature": ({"temperature": 0.5}, "temperature"),
    "stream of subtitles": ({"stream": True, "response_format": "srt"}, "stream"),
    "words in json": ({"timestamp_granularities": ["word"]}, "timestamp_granularities[]"),
    "log probabilities": ({"include": ["logprobs"]}, "include[]"),
    "an unknown parameter": ({"extra_body": {"diarize": "true"}}, "diarize"),
    "an unknown format": ({"response_format": "diarized_json"}, "response_format"),
    "an unknown language": ({"language": "tlh"}, "language"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(client: OpenAI, recording: Path, case: str) -> None:
    """What cannot be done is refused with OpenAI's error object, which names the parameter."""
    options, param = REFUSED[case]

    with pytest.raises(openai.BadRequestError) as refused:
        transcribe(client, recording, **options)

    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"


def test_unreadable_audio(client: OpenAI) -> None:
    """As OpenAI refuses it."""
    with pytest.raises(openai.BadRequestError, match="not a recording"):
        client.audio.transcriptions.create(file=("a.wav", b"no sound" * 100), model="whisper-1")


def test_an_unknown_model(client: OpenAI, recording: Path) -> None:
    """It names those that there are."""
    with recording.open("rb") as file, pytest.raises(openai.NotFoundError, match="whisper-1"):
        client.audio.transcriptions.create(file=file, model="gpt-2")


def test_an_unknown_path(sensevoice: Service) -> None:
    """Below `/v1` everything is said in OpenAI's way."""
    answer = httpx.get(f"{sensevoice.url}/v1/chat/completions", trust_env=False)

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
