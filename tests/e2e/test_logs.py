"""One request, followed through the logs of all processes; and nothing in them that must stay secret."""

import contextlib
import itertools
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.log_listener import MOST_STREAMS
from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service, checkout, started
from tests.e2e.test_faults import await_that, pid_of

KEY = "ann-secret-key-1"
FILE_NAME = "confidential-name.wav"
FILE = encoded(clips("en")[2].audio, "wav")

#: What one request of one segment logs; of each process in the order of time, for they run side by side.
PATH = (
    ("api", "request.received"),
    ("api", "job.admitted"),
    ("api", "request.answered"),
    ("instance-1", "segment.begun"),
    ("instance-1", "segment.recognised"),
    ("instance-1", "segment.finished"),
    ("instance-1", "job.assembled"),
    ("instance-1", "job.ended"),
    ("segmenter-1", "job.begun"),
    ("segmenter-1", "recording.opened"),
    ("segmenter-1", "segment.cut"),
    ("segmenter-1", "job.cut"),
)

Event = dict[str, Any]


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An instance that takes its time, so that the last to finish a job is the instance; it logs at debug."""
    yield from started(
        checkout(
            tmp_path_factory.mktemp("talkative"),
            ASR_MODEL="tests.doubles.engines:SlowEngine",
            ASR_INSTANCES="1",
            ASR_LOG_LEVEL="debug",
            ASR_API_KEYS=f"ann:{KEY}",
        )
    )


@pytest.fixture
def ann(talkative: Service) -> Iterator[httpx.Client]:
    """A client with a key."""
    with talkative.client() as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        yield client


def transcribe(client: httpx.Client, path: str = "/asr_simple") -> tuple[str, str]:
    """The text, and the id of the job."""
    answer = client.post(path, files={"file": (FILE_NAME, FILE)})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"], client.get("/jobs", params={"limit": 1}).json()["jobs"][0]["id"]


def command(service: Service, *options: str) -> list[Event]:
    """What `logs --json` shows."""
    done = service.run("deploy.service", "logs", "--json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def stream(client: httpx.Client, place: str | None = None, **wanted: str) -> Iterator[tuple[str, Event]]:
    """What the endpoint shows, with ids."""
    headers = {} if place is None else {"Last-Event-ID": place}
    with client.stream("GET", "/monitoring/logs", params=wanted, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields.get("event") == "log":
                yield fields["id"], json.loads(fields["data"])
                fields = {}


def path_of(events: list[Event]) -> tuple[tuple[str, str], ...]:
    """Who did what, process by process, each in the order of time."""
    ordered = sorted(events, key=lambda one: (one["process"], one["timestamp"]))
    return tuple((one["process"], one["event"]) for one in ordered)


def test_a_request_can_be_followed(talkative: Service, ann: httpx.Client) -> None:
    """From upload to answer, by the first characters of its job's id; with the command and over HTTP."""
    _, job_id = transcribe(ann)
    await_that(lambda: len(command(talkative, "--job", job_id[:10])) == len(PATH))

    told = command(talkative, "--job", job_id[:10])
    heard = [event for _, event in itertools.islice(stream(ann, job=job_id), len(PATH))]

    assert path_of(told) == path_of(heard) == PATH
    by_name = {one["event"]: one for one in told}
    assert by_name["job.admitted"]["caller"] == "ann"
    assert by_name["job.admitted"]["bytes"] == len(FILE)
    assert by_name["recording.opened"]["container"] == "wav"
    assert (by_name["segment.begun"]["segment"], by_name["segment.begun"]["rows"]) == (0, 1)
    assert (by_name["request.answered"]["path"], by_name["request.answered"]["status"]) == (
        "/asr_simple",
        200,
    )
    assert by_name["job.ended"]["state"] == "done"


def test_the_choice(talkative: Service, ann: httpx.Client) -> None:
    """By level and process, alike with both; the process as a word alone too."""
    _, job_id = transcribe(ann)
    await_that(lambda: len(command(talkative, "--job", job_id)) == len(PATH))

    info = command(talkative, "--job", job_id, "--level", "info")
    cut = command(talkative, "--job", job_id, "segmenter-1")

    assert path_of(info) == (("api", "request.answered"), ("instance-1", "job.ended"))
    assert path_of(cut) == PATH[-4:] == path_of(command(talkative, "--job", job_id, "--process", "segmenter"))
    heard = itertools.islice(stream(ann, job=job_id, level="info", process="instance"), 1)
    assert path_of([event for _, event in heard]) == (("instance-1", "job.ended"),)


def test_a_stream_goes_on(talkative: Service, ann: httpx.Client) -> None:
    """What is logged while it is open, and behind the last event heard when it is opened again."""
    events = stream(ann, process="segmenter")
    place, _ = next(events)
    with talkative.client() as other:
        other.headers = ann.headers
        _, job_id = transcribe(other)
        live = next(event for _, event in events if event.get("job") == job_id)

    again = next(event for _, event in stream(ann, place, process="segmenter", job=job_id))

    assert live["event"] == again["event"] == "job.begun"


def test_lines_for_people(talkative: Service, ann: httpx.Client) -> None:
    """A line for each event; in colours on a terminal."""
    _, job_id = transcribe(ann)
    await_that(lambda: len(command(talkative, "--job", job_id)) == len(PATH))

    plain = talkative.run("deploy.service", "logs", "--job", job_id).stdout.splitlines()

    assert len(plain) == len(PATH)
    assert f"job.admitted bytes={len(FILE)}" in plain[1]
    assert "\x1b[" not in plain[1]
    assert "\x1b[" in on_terminal(talkative, "logs", "--job", job_id)


def on_terminal(service: Service, *arguments: str) -> str:
    """What a command prints to a terminal."""
    ours, its = pty.openpty()
    env = service.env | {"TERM": "xterm"}
    run = [sys.executable, "-m", "deploy.service", *arguments]
    with subprocess.Popen(run, cwd=service.home, env=env, stdout=its) as process:
        os.close(its)
        shown = os.read(ours, 1 << 16).decode()
        os.close(ours)
        process.terminate()
    return shown


def test_following(talkative: Service, ann: httpx.Client) -> None:
    """`-f` shows what is logged from then on."""
    run = [sys.executable, "-m", "deploy.service", "logs", "-f", "--json", "--process", "segmenter"]
    with subprocess.Popen(
        run, cwd=talkative.home, env=talkative.env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()  # it has begun
        _, job_id = transcribe(ann)
        shown = next(line for line in process.stdout if job_id in line)
        process.terminate()

    assert json.loads(shown)["event"] == "job.begun"


def test_nothing_secret_is_logged(talkative: Service, ann: httpx.Client) -> None:
    """No transcript, no name of a file, no key, whatever is asked and refused."""
    text, job_id = transcribe(ann, "/asr")
    ann.get(f"/jobs/{job_id}/result", params={"format": "txt"})
    ann.get("/v1/models", headers={"Authorization": "Bearer wrong-secret-key"})
    ann.get("/nowhere/some-secret-path")
    ann.get("/jobs/some-secret-id")
    ann.post("/asr", files={"file": (FILE_NAME, b"some-secret-content")})
    await_that(lambda: any(one.get("status") == 415 for one in command(talkative, "api")))

    stored = json.dumps(command(talkative))
    files = "".join(path.read_text() for path in (talkative.home / ".quintet" / "logs").glob("*.log*"))

    assert "request.answered" in stored
    assert "request.answered" in files
    for secret in (text.splitlines()[2], FILE_NAME, KEY, "secret"):
        assert secret not in stored
        assert secret not in files


def test_who_may_follow(talkative: Service, ann: httpx.Client) -> None:
    """Those who have a key, and know what they ask for."""
    with talkative.client() as nobody:
        assert nobody.get("/monitoring/logs").status_code == 401
    for wrong in ({"level": "loud"}, {"process": "a b"}, {"job": "xyz"}):
        assert ann.get("/monitoring/logs", params=wrong).status_code == 422, wrong
    for place in ("x", "1", "1-1-1", "9" * 20 + "-0"):
        assert ann.get("/monitoring/logs", headers={"Last-Event-ID": place}).status_code == 422, place


@contextlib.contextmanager
def followers(service: Service, how_many: int) -> Iterator[list[socket.socket]]:
    """Clients that ask to follow at once, and have not been answered yet; they hang up in the end."""
    with contextlib.ExitStack() as connected:
        address = ("127.0.0.1", int(service.env["ASR_PORT"]))
        asking = [
            connected.enter_context(socket.create_connection(address, timeout=60)) for _ in range(how_many)
        ]
        head = f"GET /monitoring/logs HTTP/1.1\r\nHost: asr\r\nAuthorization: Bearer {KEY}\r\n\r\n"
        for one in asking:
            one.sendall(head.encode())
        yield asking


def may_follow(asking: socket.socket) -> bool:
    """Whether one of them is let in."""
    status = asking.recv(12)
    assert status in {b"HTTP/1.1 200", b"HTTP/1.1 503"}, status
    return status.endswith(b"200")


def test_how_many_may_follow(talkative: Service) -> None:
    """No more, however many come at once; whoever hangs up leaves its place, be it before it is answered."""
    with followers(talkative, 3 * MOST_STREAMS) as asking:
        assert sum(map(may_follow, asking)) <= MOST_STREAMS
    with followers(talkative, 3 * MOST_STREAMS):
        pass
    with contextlib.ExitStack() as connected:

        def let_in(how_many: int) -> int:
            return sum(map(may_follow, connected.enter_context(followers(talkative, how_many))))

        places = itertools.accumulate(let_in(1) for _ in itertools.count())
        await_that(lambda: next(places) == MOST_STREAMS)
        assert let_in(3) == 0


def test_the_document(ann: httpx.Client) -> None:
    """Everything that the endpoint answers is in the OpenAPI document; schemathesis leaves it out."""
    of = ann.get("/docs/openapi.json").json()["paths"]["/monitoring/logs"]["get"]

    assert set(of["responses"]) >= {"200", "401", "422", "503"}
    assert set(of["responses"]["200"]["content"]) == {"text/event-stream"}
    assert {one["name"] for one in of["parameters"]} == {"level", "process", "job", "Last-Event-ID"}


def test_names_and_files(talkative: Service) -> None:
    """A name that there is not is an error that lists those there are; what logs to a file only is shown."""
    wrong = talkative.run("deploy.service", "logs", "nobody")
    supervisor = talkative.run("deploy.service", "logs", "supervisord")

    assert wrong.returncode == 1
    assert "no log named nobody; there are api, " in wrong.stderr
    assert "supervisord started" in supervisor.stdout


def test_without_redis_the_files_are_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A service that does not run still has its files; a line says that these are shown."""
    service = checkout(tmp_path_factory.mktemp("still"))
    logs = service.home / ".quintet" / "logs"
    logs.mkdir()
    (logs / "api.log").write_text('{"event": "x.last"}\n')

    done = service.run("deploy.service", "logs")

    assert '"x.last"' in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert "Redis does not answer" in done.stderr


def test_a_stop_ends_the_streams(talkative: Service, ann: httpx.Client) -> None:
    """Who follows does not keep the API from stopping: the stream ends, and is taken up again."""
    events = stream(ann)
    place, _ = next(events)
    os.kill(pid_of(talkative, "api"), signal.SIGTERM)

    for place, _ in events:  # until the end, which is not a broken connection  # noqa: B007
        continue

    await_that(lambda: answers(ann))
    stopped = (event for _, event in stream(ann, place, process="api"))
    assert next(event for event in stopped if event["event"] == "Application startup complete.")


def answers(client: httpx.Client) -> bool:
    """Whether the API is there."""
    try:
        return client.get("/health/live").is_success
    except httpx.TransportError:
        return False
