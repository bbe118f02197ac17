"""Damaged files and hostile connections against the running service."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import psutil
import pytest

from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from tests.bombs import mp4
from tests.e2e.conftest import Service
from tests.e2e.test_faults import pid_of
from tests.fuzz.mutations import made
from tests.fuzz.over_http import OverHttp
from tests.fuzz.trial import tried
from tests.media import wav

SPEECH = encoded(clips("en")[2].audio, "wav")


def test_damaged_files(service: Service) -> None:
    """Fifty, with good ones in between: each is heard or refused, and the segmenter lives on."""
    segmenter = psutil.Process(pid_of(service, "segmenter-1"))

    @contextmanager
    def requests() -> Iterator[OverHttp]:
        with service.client() as client:
            yield OverHttp(client)

    judged = tried(made(seed=8, count=50), requests, at_once=4)

    assert len(judged) == 50
    assert [(one.file.number, one.verdict) for one in judged if one.verdict.is_defect] == []
    assert segmenter.is_running()


def test_bomb(service: Service, http: httpx.Client) -> None:
    """A file of 4 KB that would take 2 GB is refused, and nobody dies of it."""
    segmenter = psutil.Process(pid_of(service, "segmenter-1"))

    answer = http.post("/asr", files={"file": ("a.m4a", mp4(80_000_000))})

    assert answer.status_code == 422, answer.text
    assert http.post("/asr", files={"file": ("a.wav", SPEECH)}).status_code == 200
    assert segmenter.is_running()


NAMES = [
    "../../etc/passwd",
    "C:\\a.wav",
    "/dev/null",
    "a\x01\x7f\x1b[31m.wav",
    "%00.wav",
    "a" * 3_000,
    "\u202egnp.wav",
    " ",
]


@pytest.mark.parametrize("name", NAMES)
def test_file_name(http: httpx.Client, name: str) -> None:
    """What a file is called is nobody's business."""
    answer = http.post("/jobs", files={"file": (name, wav(np.zeros(16_000)))})

    assert answer.status_code == 202, answer.text
    assert name not in answer.text.replace(answer.json()["id"], "")


HEAD = b"POST /asr HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=cut\r\n"
PART = b'--cut\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
FORM = PART + wav(np.zeros(1_600)) + b"\r\n--cut--\r\n"


def length(size_bytes: int | str) -> bytes:
    """The header, and the end of the head."""
    return b"content-length: %s\r\n\r\n" % str(size_bytes).encode()


#: What is sent, and how the answer begins; none where the client has gone before there is one.
LIES = {
    "more than comes": (HEAD + length(len(FORM) + 1_000) + FORM, None),
    "less than comes": (HEAD + length(len(FORM) // 2) + FORM, b"HTTP/1.1 422 "),
    "far more than is taken": (HEAD + length(10**15), b"HTTP/1.1 413 "),
    "less than nothing": (HEAD + length(-5) + FORM, b"HTTP/1.1 400 "),
    "no number": (HEAD + length("ten") + FORM, b"HTTP/1.1 400 "),
    "two lengths": (HEAD + b"content-length: 5\r\n" + length(6) + FORM, b"HTTP/1.1 400 "),
    "chunks that are none": (HEAD + b"transfer-encoding: chunked\r\n\r\nzzz\r\n" + FORM, b"HTTP/1.1 400 "),
    "a chunk without end": (
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n" + FORM,
        b"HTTP/1.1 400 ",
    ),
    "an unknown coding": (HEAD + b"transfer-encoding: zip\r\n" + length(5) + FORM, b"HTTP/1.1 400 "),
    "a head without end": (HEAD + b"a: " + b"b" * 100_000, b"HTTP/1.1 400 "),
}


@pytest.mark.parametrize("lie", LIES)
def test_content_length(service: Service, http: httpx.Client, lie: str) -> None:
    """A client that lies about what it sends is told so if that is possible, and the next one is served."""
    sent, begins = LIES[lie]
    with socket.create_connection(("127.0.0.1", int(service.env["ASR_PORT"])), timeout=60) as client:
        client.sendall(sent)
        if begins is None:
            client.shutdown(socket.SHUT_WR)
        else:
            answer = client.recv(65_536)
            assert answer.startswith(begins), answer

    assert http.post("/asr", files={"file": ("a.wav", SPEECH)}).status_code == 200


def test_slow_clients_stand_in_nobodys_way(service: Service, http: httpx.Client) -> None:
    """Two hundred connections that say nothing, or half of it, cost the others nothing."""
    port = int(service.env["ASR_PORT"])
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    try:
        for number, client in enumerate(slow):
            client.sendall((HEAD + length(len(FORM)) + FORM)[: number * 20])

        assert http.post("/asr", files={"file": ("a.wav", SPEECH)}).status_code == 200
        assert http.get("/health").status_code == 200
    finally:
        for client in slow:
            client.close()
