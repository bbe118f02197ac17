"""Whatever a client sends, it gets a clear answer, and the service goes on."""

import gzip
from typing import Any

import httpx
import numpy as np
import pytest

from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from loadtest.corpus.scoring import error_rate
from tests.media import film, wav

CLIP = clips("en")[2]


REFUSED = {
    "empty file": (b"", {}, 422, "empty"),
    "text renamed to .wav": (b"just some text, not sound\n" * 50, {}, 415, "wav"),
    "header-only wav": (wav(np.zeros(0)), {}, 422, "audio"),
    "video without sound": (film(np.zeros(0, np.int16), "mp4", None, "mpeg4"), {}, 422, "audio"),
    "unknown language": (wav(np.zeros(16_000)), {"lang": "tlh"}, 422, "lang: 'tlh' is not known"),
    "neither true nor false": (wav(np.zeros(16_000)), {"punctuation": "no"}, 422, "punctuation: "),
    "language the model lacks": (wav(np.zeros(16_000)), {"lang": "yue"}, 422, "zh, en, ja, ko"),
    "a choice the model lacks": (wav(np.zeros(16_000)), {"itn": "false"}, 422, "itn: whisper-base"),
    "a pair without a right side": (
        wav(np.zeros(16_000)),
        {"replace": "a=b, c"},
        422,
        "replace: 'c' is no pair",
    ),
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
    assert answer.json()["msg"].startswith("file: missing;")


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


def form(*parts: tuple[str, bytes]) -> dict[str, Any]:
    """The body and headers of a form of these parts, each with its own headers."""
    body = b"".join(b"--cut\r\n%s\r\n\r\n%s\r\n" % (head.encode(), content) for head, content in parts)
    return {
        "content": body + b"--cut--\r\n",
        "headers": {"content-type": "multipart/form-data; boundary=cut"},
    }


LANG = 'Content-Disposition: form-data; name="lang"'
FILE = 'Content-Disposition: form-data; name="file"; filename="a.wav"'
SECOND = wav(np.zeros(16_000))

HOSTILE = {
    "a charset that takes quadratic time": form(
        (LANG + "\r\nContent-Type: text/plain; charset=punycode", b"a" * 1_000_000), (FILE, SECOND)
    ),
    "a charset that does not exist": form(
        (LANG + "\r\nContent-Type: text/plain; charset=a\0b", b"en"), (FILE, SECOND)
    ),
    "a text of 3 MB": form((LANG, b"e" * 3_000_000), (FILE, SECOND)),
    "a text of 16 kB": form((LANG, b"e" * 16_000), (FILE, SECOND)),
    "a text that is not UTF-8": form((LANG, b"\xff\xfe"), (FILE, SECOND)),
    "the file twice": form((FILE, SECOND), (FILE, SECOND)),
    "the file as text": form((LANG.replace("lang", "file"), SECOND)),
    "the language twice": form((LANG, b"en"), (LANG, b"en"), (FILE, SECOND)),
    "ten thousand parts": form(
        *((LANG.replace("lang", f"field{number}"), b"en") for number in range(10_000))
    ),
    "a header of 10 kB": form((FILE.replace("a.wav", "a" * 10_000), SECOND)),
    "a file in another field": form((FILE.replace('"file"', '"lang"'), SECOND), (FILE, SECOND)),
    "a name that is not UTF-8": {
        "content": form((LANG, b"en"))["content"].replace(b"lang", b"\xff" * 3_000),
        "headers": {"content-type": "multipart/form-data; boundary=cut"},
    },
    "no part at all": form(),
    "a form that breaks off": {
        "content": b"--cut\r\n" + FILE.encode() + b"\r\n\r\nRIFF",
        "headers": {"content-type": "multipart/form-data; boundary=cut"},
    },
    "no boundary": {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
    "not a form": {"content": b"{}", "headers": {"content-type": "application/json"}},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_form(http: httpx.Client, case: str) -> None:
    """Refused in a short sentence, and the service answers others meanwhile."""
    answer = http.post("/asr", **HOSTILE[case], timeout=20)

    assert answer.status_code == 422, answer.text
    assert len(answer.content) < 500
    assert answer.json()["msg"]


def test_a_compressed_form(http: httpx.Client) -> None:
    """The client is told what is wrong, not that its form is broken."""
    whole = form((FILE, SECOND))
    headers = whole["headers"] | {"content-encoding": "gzip"}

    answer = http.post("/asr", content=gzip.compress(whole["content"]), headers=headers)

    assert answer.status_code == 415, answer.text
    assert "gzip is not taken" in answer.json()["msg"]


@pytest.mark.parametrize("name", ["%00", "a%00b.css", "a" * 300, "/".join("a" * 200 for _ in range(30))])
def test_odd_file_names(http: httpx.Client, name: str) -> None:
    """A file that cannot exist is not found."""
    assert http.get(f"/docs/assets/{name}").status_code == 404


def test_a_wrong_method(http: httpx.Client) -> None:
    """`/asr` reports it as it reports everything."""
    answer = http.get("/asr")

    assert (answer.status_code, answer.json()["code"]) == (405, 405)
