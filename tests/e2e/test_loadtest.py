"""`python -m loadtest` against a running service: what it counts, how it ends, and its exit status."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.clips import clips
from loadtest.load.arrivals import arrivals
from loadtest.plan import Plan
from loadtest.records import Run
from loadtest.report import read
from tests.e2e.conftest import Service, checkout, free_port, started
from tests.e2e.test_faults import await_that, pid_of

ENDPOINTS = ("asr", "asr_simple", "jobs", "openai", "stream")


@pytest.fixture(scope="module")
def instant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances that answer at once."""
    settings = {"ASR_MODEL": "tests.doubles.engines:InstantEngine", "ASR_INSTANCES": "2"}
    yield from started(checkout(tmp_path_factory.mktemp("instant"), **settings))


@pytest.fixture(scope="module")
def sluggish(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances that take a second for each recording."""
    settings = {
        "ASR_MODEL": "tests.doubles.engines:SlowEngine",
        "ASR_INSTANCES": "2",
        "ASR_BATCH_ROWS": "1",
        "ASR_REQUEST_TIMEOUT_S": "120",
    }
    yield from started(checkout(tmp_path_factory.mktemp("sluggish"), **settings))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings of real speech."""
    folder = tmp_path_factory.mktemp("recordings")
    for clip in clips("en")[:3]:
        shutil.copy(clip.path, folder)
    return folder


def command(folder: Path, *arguments: str) -> list[str]:
    """How the load test is begun."""
    return [sys.executable, "-m", "loadtest", f"test_file={folder}", "endpoint=asr_simple", *arguments]


def run(service: Service, folder: Path, out: Path, *arguments: str) -> tuple[int, Run, str]:
    """Run to its end: the exit status, what was measured, and what was said."""
    done = service.run(*command(folder, "--out", str(out), *arguments)[2:])
    return done.returncode, report(out), done.stdout + done.stderr


def report(out: Path) -> Run:
    """What the report in a folder says was measured."""
    (found,) = out.glob("performance_test_report_*.json")
    return read(found).run


def begin(service: Service, folder: Path, out: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin a run."""
    return subprocess.Popen(
        command(folder, "--out", str(out), *arguments),
        cwd=service.home,
        env=service.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_closed_loop(instant: Service, folder: Path, tmp_path: Path, endpoint: str) -> None:
    """Each user sends so many; the service has counted the same, and every text is right."""
    status, measured, said = run(
        instant,
        folder,
        tmp_path,
        "smoke",
        "concurrent_users=3",
        "requests_per_user=4",
        f"endpoint={endpoint}",
    )

    assert status == 0, said
    assert len(measured.samples) == 12
    assert {(one.outcome, one.status, one.exact) for one in measured.samples} == {("ok", 200, True)}
    assert all(one.due_s == one.sent_s < one.ended_s <= measured.took_s for one in measured.samples)
    sent = Counter(one.recording for one in measured.samples)
    assert sent == {path.name: 4 for path in folder.iterdir()}
    assert measured.counted is not None
    assert measured.counted.requests == {"2xx": 12, "4xx": 0, "5xx": 0}
    assert measured.service.model == "instant"
    assert not measured.interrupted
    assert len(list(tmp_path.iterdir())) == 3
    for path in tmp_path.iterdir():
        assert str(path) in said


@pytest.mark.parametrize("endpoint", ["jobs", "stream"])
def test_first_segment(instant: Service, folder: Path, tmp_path: Path, endpoint: str) -> None:
    """It is heard of after the request was sent and before the whole answer."""
    _, measured, _ = run(instant, folder, tmp_path, "smoke", f"endpoint={endpoint}")

    for one in measured.samples:
        assert one.first_segment_s is not None
        assert one.sent_s < one.first_segment_s <= one.ended_s
        assert one.segments == 1


def test_open_loop(instant: Service, folder: Path, tmp_path: Path) -> None:
    """Every request of the schedule is sent, measured from when it was due, and counted by the service."""
    status, measured, said = run(
        instant, folder, tmp_path, "short", "rate_per_s=20", "duration_s=5", "seed=3"
    )
    due_s = arrivals(Plan(rate_per_s=20, duration_s=5, seed=3), 20)

    assert status == 0, said
    began_s = measured.samples[0].due_s - due_s[0]
    assert [one.due_s - began_s for one in measured.samples] == pytest.approx(due_s)
    assert all(one.due_s <= one.sent_s for one in measured.samples)
    assert measured.counted is not None
    assert measured.counted.requests["2xx"] == len(due_s)
    assert measured.counted.audio_s == pytest.approx(sum(one.audio_s for one in measured.samples))
    assert sum(measured.counted.stages["queue"]) == len(due_s)


def test_watch(instant: Service, folder: Path, tmp_path: Path) -> None:
    """A look a second: health, and every process of the service."""
    _, measured, _ = run(instant, folder, tmp_path, "short", "rate_per_s=5", "duration_s=4")

    assert 4 <= len(measured.looks) <= measured.took_s + 2
    for look in measured.looks:
        assert look.health == "healthy"
        assert look.health_s is not None
        assert look.processes.keys() >= {"api", "instance-1", "instance-2", "segmenter-1", "redis"}
        assert all(usage.rss_mb > 1 for usage in look.processes.values())
        assert look.busy.keys() == {"instance-1", "instance-2"}
    assert any(look.processes["api"].cpu_cores > 0 for look in measured.looks)
    assert 0 < measured.runner_cpu_s < measured.took_s


def test_error_rate(instant: Service, folder: Path, tmp_path: Path) -> None:
    """Against the reference text, where there is one."""
    said, garbled, unknown = (path.name for path in folder.iterdir())
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    _, measured, _ = run(instant, own, tmp_path / "first", "smoke")
    samples = {one.recording: round(one.audio_s * SAMPLE_RATE_HZ) for one in measured.samples}
    (own / said).with_suffix(".txt").write_text(f"{samples[said]} samples")
    (own / garbled).with_suffix(".txt").write_text(f"{samples[garbled]} bananas")

    _, measured, _ = run(instant, own, tmp_path / "second", "smoke", "language=en")

    rates = {one.recording: one.error_rate for one in measured.samples}
    assert rates == {said: 0, garbled: 0.5, unknown: None}


def test_rising_rate(sluggish: Service, folder: Path, tmp_path: Path) -> None:
    """Two instances of a second bear two a second at most; what is open when it ends is answered."""
    status, measured, said = run(
        sluggish,
        folder,
        tmp_path,
        *("saturate", "rate_per_s=0.5", "duration_s=6", "raise_by=3", "limit_p95_s=3", "even=true"),
    )

    assert status == 0, said
    assert [step.rate_per_s for step in measured.steps] == pytest.approx([0.5, 1.5, 4.5])
    assert len(measured.samples) == 3 + 9 + 27
    assert all(one.outcome == "ok" for one in measured.samples)
    (written,) = tmp_path.glob("*.json")
    assert read(written).figures.knee_per_s == pytest.approx(1.5)


def test_an_instance_is_killed(sluggish: Service, folder: Path, tmp_path: Path) -> None:
    """Every request is answered right by the other one, and the looks show the loss and the recovery."""
    running = begin(sluggish, folder, tmp_path, "seed", "concurrent_users=4", "requests_per_user=5")
    with sluggish.client() as http:
        await_that(lambda: len(http.get("/stats").json()["running"]) > 1)
    os.kill(pid_of(sluggish, "instance-2"), signal.SIGKILL)
    said, _ = running.communicate(timeout=120)
    measured = report(tmp_path)

    assert running.returncode == 0, said
    assert Counter(one.outcome for one in measured.samples) == {"ok": 20}
    assert all(one.exact for one in measured.samples)
    seen = ["instance-2" in look.processes for look in measured.looks]
    assert not all(seen)
    assert seen[-1]


def test_the_service_goes_away(folder: Path, tmp_path: Path) -> None:
    """Without an API requests fail, each is counted, and the run goes on to its end."""
    settings = {"ASR_MODEL": "tests.doubles.engines:InstantEngine", "ASR_INSTANCES": "1"}
    out = tmp_path / "out"
    with contextlib.contextmanager(started)(checkout(tmp_path / "away", **settings)) as away:
        running = begin(away, folder, out, "short", "rate_per_s=10", "duration_s=8", "serial_texts=false")
        with away.client() as http:
            await_that(lambda: http.get("/stats").json()["model_pool_stats"]["total_requests"] > 10)
        stopped = away.run("deploy.service", "stop")
        assert stopped.returncode == 0, stopped.stdout
        said, _ = running.communicate(timeout=120)
    measured = report(out)

    assert running.returncode == 0, said
    outcomes = Counter(one.outcome for one in measured.samples)
    assert outcomes["connection"] > 0
    assert outcomes["ok"] > 10
    assert len(measured.samples) == len(arrivals(Plan(rate_per_s=10, duration_s=8), 10))
    assert measured.looks[-1].health == "away"
    assert measured.counted is None


def test_interrupt(instant: Service, folder: Path, tmp_path: Path) -> None:
    """Ctrl-C ends the run; the report has what ran until then."""
    running = begin(instant, folder, tmp_path, "short", "rate_per_s=10", "duration_s=600")
    with instant.client() as http:
        before = http.get("/stats").json()["model_pool_stats"]["total_requests"]
        await_that(lambda: http.get("/stats").json()["model_pool_stats"]["total_requests"] > before + 10)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    measured = report(tmp_path)

    assert running.returncode == 130, said
    assert measured.interrupted
    assert 1 < len(measured.samples) < 6_000
    assert measured.took_s < 600


def test_interrupted_jobs_are_cancelled(sluggish: Service, folder: Path, tmp_path: Path) -> None:
    """The service does not go on working for nobody."""
    settings = ("endpoint=jobs", "concurrent_users=8", "serial_texts=false")
    running = begin(sluggish, folder, tmp_path, "seed", *settings)
    with sluggish.client() as http:

        def states() -> set[str]:
            return {job["state"] for job in http.get("/jobs").json()["jobs"]}

        await_that(lambda: {"queued", "running"} & states() != set())
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=60)
        assert running.returncode == 130, said
        await_that(lambda: not {"queued", "running"} & states())
        assert "cancelled" in states()


def test_a_timeout_is_counted(sluggish: Service, folder: Path, tmp_path: Path) -> None:
    """Eight at once on two instances of a second: some take longer than two."""
    settings = ("concurrent_users=8", "requests_per_user=1", "timeout=2.5", "serial_texts=false")
    status, measured, said = run(sluggish, folder, tmp_path, "seed", *settings, "--fail-if", "errors>0")

    outcomes = Counter((one.outcome, one.status) for one in measured.samples)
    assert outcomes[("timeout", 0)] > 0
    assert outcomes[("ok", 200)] > 0
    assert outcomes.total() == 8
    assert status == 1, said
    assert "errors" in said


def test_nobody_answers(instant: Service, folder: Path, tmp_path: Path) -> None:
    """It says so at once, and writes nothing."""
    url = f"http://127.0.0.1:{free_port()}"
    done = instant.run(*command(folder, "--out", str(tmp_path / "out"), f"api_url={url}")[2:])

    assert done.returncode == 2
    assert f"Nothing answers at {url}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("rate_per_s=1",), ("--fail-if", "p95>fast"), ("test_file=/nowhere",)]
)
def test_mistakes(instant: Service, folder: Path, arguments: tuple[str, ...]) -> None:
    """What cannot be done is said before anything is sent."""
    done = instant.run(*command(folder, *arguments)[2:])

    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_compare(instant: Service, folder: Path, tmp_path: Path) -> None:
    """Two reports side by side."""
    written = []
    for name in ("a", "b"):
        run(instant, folder, tmp_path / name, "smoke")
        written += [str(path) for path in (tmp_path / name).glob("*.json")]

    done = instant.run("loadtest", "--compare", *written, "--out", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "p95" in done.stdout
    assert list(tmp_path.glob("*.html"))
