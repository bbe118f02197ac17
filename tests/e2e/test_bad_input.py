"""Whatever a client sends, it gets a clear answer, and the service goes on."""

import io
import wave
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media import encode
from tests.speech import clips, encoded, error_rate

CLIP = clips("en")[2]


def wav(samples: NDArray[Any], rate_hz: int = 16_000) -> bytes:
    """Samples, int16 [samples], as a wav file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(samples.astype(np.int16).tobytes())
    return file.getvalue()


REFUSED = {
    "empty file": (b"", {}, 422, "empty"),
    "text renamed to .wav": (b"just some text, not sound\n" * 50, {}, 415, "wav"),
    "header-only wav": (wav(np.zeros(0)), {}, 422, "audio"),
    "video without sound": (encode(np.zeros(0, np.int16), "mp4", None, video="mpeg4"), {}, 422, "audio"),
    "unknown language": (wav(np.zeros(16_000)), {"lang": "tlh"}, 422, "lang"),
    "language the model lacks": (wav(np.zeros(16_000)), {"lang": "yue"}, 422, "zh, en, ja, ko"),
    "over the limit": (bytes(5 << 20), {}, 413, "large"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("endpoint", ["/asr", "/asr_simple"])
def test_refused(http: httpx.Client, case: str, endpoint: str) -> None:
    """The status says whose fault it is, the message what is wrong."""
    file, fields, status, said = REFUSED[case]

    answer = http.post(endpoint, files={"file": ("a.wav", file)}, data=fields)

    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == status
    assert said in answer.json()["msg"].lower()


def test_missing_file(http: httpx.Client) -> None:
    """A form without the file names the field."""
    answer = http.post("/asr", files={"lang": (None, "en")})

    assert answer.status_code == 422
    assert "file" in answer.json()["msg"]


def test_no_form_at_all(http: httpx.Client) -> None:
    """A body that is no form is the client's fault, too."""
    answer = http.post("/asr", content=b"hello", headers={"content-type": "application/octet-stream"})

    assert 400 <= answer.status_code < 500


ANSWERED = {
    "50 ms clip": wav(np.random.default_rng(1).normal(0, 900, 800)),
    "silence": wav(np.zeros(48_000)),
    "white noise": wav(np.random.default_rng(2).normal(0, 2_000, 48_000)),
}


@pytest.mark.parametrize("case", ANSWERED)
@pytest.mark.parametrize("endpoint", ["/asr", "/asr_simple"])
def test_nothing_said_is_no_error(http: httpx.Client, case: str, endpoint: str) -> None:
    """Sound without speech is answered with nothing said."""
    answer = http.post(endpoint, files={"file": ("a.wav", ANSWERED[case])}, data={"lang": "en"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == ""
    assert answer.json()["stats"]["failed_segments"] == 0


def test_truncated_mp3(http: httpx.Client) -> None:
    """What is left of a file that was cut off is transcribed."""
    whole = encoded(CLIP.audio, "mp3")

    answer = http.post("/asr", files={"file": ("a.mp3", whole[: len(whole) // 2])}, data={"lang": "en"})

    assert answer.status_code == 200, answer.text
    assert "quick" in answer.json()["data"].lower()


@pytest.mark.parametrize(("rate_hz", "layout"), [(8_000, "mono"), (44_100, "stereo")])
def test_other_rates_and_channels(http: httpx.Client, rate_hz: int, layout: str) -> None:
    """Telephone and CD quality are as good as ours."""
    file = encoded(CLIP.audio, "wav", rate_hz=rate_hz, layout=layout)

    answer = http.post("/asr_simple", files={"file": ("a.wav", file)}, data={"lang": "en"})

    assert answer.status_code == 200, answer.text
    assert error_rate("en", CLIP.text, answer.json()["data"]) <= 0.1


def test_an_endpoint_that_is_not_there(http: httpx.Client) -> None:
    """Elsewhere errors are problem details."""
    answer = http.get("/nowhere")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
