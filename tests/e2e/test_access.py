"""Who may use the service, and how much: keys, what each of them sees, and uploads that come too many."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from openai import OpenAI

from tests.e2e.conftest import Service, checkout, started
from tests.e2e.test_faults import await_that
from tests.media import wav

ANN, NEW_OF_ANN, NAMELESS = "ann-secret-1", "ann-secret-2", "nameless-secret"
SHORT = wav(np.zeros(16_000))
LONG = wav(np.zeros(16_000 * 61))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One instance that takes a second for each segment; three keys, and 30 s of audio may wait."""
    yield from started(
        checkout(
            tmp_path_factory.mktemp("guarded"),
            ASR_MODEL="tests.doubles.engines:SlowEngine",
            ASR_INSTANCES="1",
            ASR_API_KEYS=f"ann:{ANN},ann:{NEW_OF_ANN},{NAMELESS}",
            ASR_MAX_BACKLOG_S="30",
            ASR_KEY_JOBS="4",
        )
    )


@pytest.fixture
def ann(guarded: Service) -> Iterator[httpx.Client]:
    """A client with Ann's key, whose jobs are cancelled afterwards."""
    yield from caller(guarded, ANN)


@pytest.fixture
def other(guarded: Service) -> Iterator[httpx.Client]:
    """A client with another key."""
    yield from caller(guarded, NAMELESS)


def caller(guarded: Service, key: str) -> Iterator[httpx.Client]:
    """A client with a key."""
    with guarded.client() as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client
        for job in client.get("/jobs", params={"limit": 100}).json()["jobs"]:
            client.delete(f"/jobs/{job['id']}")


def hand_in(client: httpx.Client, file: bytes = SHORT, key: str = "") -> httpx.Response:
    """Submit a recording."""
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/jobs", files={"file": ("a.wav", file)}, data={"vad": "0"}, headers=headers)


def submit(client: httpx.Client, file: bytes = SHORT) -> str:
    """The id of a job that is taken in."""
    answer = hand_in(client, file)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id


CLOSED = [
    ("POST", "/asr"),
    ("POST", "/asr_simple"),
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("GET", f"/jobs/{'0' * 32}"),
    ("GET", f"/jobs/{'0' * 32}/result"),
    ("GET", f"/jobs/{'0' * 32}/events"),
    ("DELETE", f"/jobs/{'0' * 32}"),
    ("POST", "/v1/audio/transcriptions"),
    ("GET", "/v1/models"),
    ("GET", "/stats"),
    ("GET", "/metrics"),
    ("GET", "/monitoring/history"),
    ("GET", "/monitoring/alerts"),
    ("GET", "/monitoring/logs"),
    ("GET", "/"),
    ("GET", "/page/main.js"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer wrong-secret", f"Basic {ANN}", f"Bearer {ANN} x"]
)
def test_no_key_no_service(guarded: Service, method: str, path: str, sent: str | None) -> None:
    """Nothing but health and documents is open, and the answer says how a key is sent."""
    headers = {} if sent is None else {"Authorization": sent}
    with guarded.client() as client:
        answer = client.request(method, path, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "API key" in answer.text
    assert ANN not in answer.text


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/docs", "/docs/openapi.json"])
def test_open_without_a_key(guarded: Service, path: str) -> None:
    """What orchestrators and newcomers ask for."""
    with guarded.client() as client:
        assert client.get(path).status_code == 200


def test_each_sees_its_own(ann: httpx.Client, other: httpx.Client, guarded: Service) -> None:
    """The jobs of others are not there; two keys of one name are one caller."""
    own = submit(ann)
    theirs = submit(other)

    assert [job["id"] for job in ann.get("/jobs").json()["jobs"]][:1] == [own]
    assert own not in other.get("/jobs").text
    assert own not in other.get("/stats").text
    for path in ("", "/result", "/events"):
        assert other.get(f"/jobs/{own}{path}").status_code == 404
    assert other.delete(f"/jobs/{own}").status_code == 404
    assert ann.get(f"/jobs/{theirs}").status_code == 404
    with guarded.client() as renewed:
        renewed.headers["Authorization"] = f"bearer {NEW_OF_ANN}"
        assert renewed.get(f"/jobs/{own}").status_code == 200
    await_that(lambda: ann.get(f"/jobs/{own}").json()["state"] == "done")


def test_idempotency_keys_are_the_callers_own(ann: httpx.Client, other: httpx.Client) -> None:
    """The same name of two callers means two jobs."""
    first = hand_in(ann, key="talk").json()["id"]

    while hand_in(ann).status_code != 429:
        continue  # until it has as many jobs as it may have
    assert hand_in(ann, key="talk").json()["id"] == first
    assert hand_in(other, key="talk").json()["id"] != first


def test_openai_with_and_without_a_key(guarded: Service) -> None:
    """Its client knows the errors."""
    options: dict[str, Any] = {"base_url": f"{guarded.url}/v1", "max_retries": 0}
    with (
        OpenAI(api_key=ANN, http_client=openai.DefaultHttpxClient(trust_env=False), **options) as client,
        OpenAI(api_key="wrong", http_client=openai.DefaultHttpxClient(trust_env=False), **options) as unknown,
    ):
        assert client.models.list().data[0].id == "instant"
        with pytest.raises(openai.AuthenticationError) as refused:
            unknown.models.list()
        heard = client.audio.transcriptions.create(file=("a.wav", SHORT), model="whisper-1")

    assert refused.value.code == "invalid_api_key"
    assert heard.text == "", "it is silent"


def test_the_recipes_use_a_key(guarded: Service, tmp_path: Path) -> None:
    """`transcribe` and `status` have one of their own."""
    file = tmp_path / "quiet.wav"
    file.write_bytes(SHORT)

    done = guarded.run("deploy.transcribe", str(file), "en", "txt")
    status = guarded.run("deploy.service", "status")

    assert done.returncode == 0, done.stderr
    assert "segments" in done.stderr
    assert status.returncode == 0, status.stdout


def test_a_full_backlog(ann: httpx.Client, other: httpx.Client, guarded: Service) -> None:
    """A long recording that waits keeps out long ones, at once and with a time, but no short ones."""
    long = submit(ann, LONG)

    refused = hand_in(other, LONG)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert "ASR_MAX_BACKLOG_S" in refused.json()["detail"]
    assert hand_in(other).status_code == 202
    status, head = announce(guarded, 1 << 28, NAMELESS)
    assert status == 429, "a recording of this size is long, whatever it is"
    assert b"retry-after" in head
    assert announce(guarded, 1 << 28, "wrong-secret")[0] == 401

    too_large, _ = announce(guarded, 1 << 32, NAMELESS)
    assert too_large == 413, "to come again would not help"

    ann.delete(f"/jobs/{long}")
    await_that(lambda: hand_in(other, LONG).status_code == 202)


def test_a_key_has_so_many_jobs(ann: httpx.Client, other: httpx.Client) -> None:
    """One that has ended makes room; those of others do not count."""
    jobs = [submit(ann) for _ in range(4)]

    refused = hand_in(ann)
    assert refused.status_code == 429
    assert "ASR_KEY_JOBS" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) >= 1
    assert hand_in(other).status_code == 202
    ann.delete(f"/jobs/{jobs[-1]}")
    assert hand_in(ann).status_code == 202


def announce(guarded: Service, size_bytes: int, key: str) -> tuple[int, bytes]:
    """Status and head of the answer to an upload of which nothing but the header is sent."""
    host, port = "127.0.0.1", int(guarded.env["ASR_PORT"])
    head = (
        f"POST /asr HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {size_bytes}\r\n\r\n"
    )
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(1 << 16)
    return int(answer.split()[1]), answer.lower()
