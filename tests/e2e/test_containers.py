"""What compose.yaml and the Kubernetes manifests start, as plain processes: with neither of the two."""

import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.corpus.clips import clips
from tests.checkouts import PARTS, checkout, free_port
from tests.containers import compose, kubernetes
from tests.containers.container import HOME, SERVICE, Container, copied
from tests.containers.processes import Machine

PASSWORD = secrets.token_hex(24)
SETTINGS = {"ASR_MODEL": "whisper-base", "ASR_REQUEST_TIMEOUT_S": "60"}


class Trial:
    """What an image has of the checkout, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.home = checkout(folder / "quintet").home
        for part in set(PARTS) - set(copied(SERVICE)):
            path = self.home / part
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.port, redis_port = free_port(), free_port()
        self.machine = Machine(self.home, folder / "containers", api_port=self.port, redis_port=redis_port)
        self.redis_url = f"redis://:{PASSWORD}@127.0.0.1:{redis_port}/0"
        self._before = self._files()

    def written(self) -> set[Path]:
        """The files that have come since."""
        return self._files() - self._before

    def _files(self) -> set[Path]:
        return {path.relative_to(self.home) for path in self.home.rglob("*") if path.is_file()}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Ended afterwards, whatever became of it."""
    trial = Trial(tmp_path)
    try:
        yield trial
    finally:
        trial.machine.kill()


def test_compose_up(trial: Trial) -> None:
    """All services become healthy, transcribe, and end by themselves in the time that they are given."""
    containers = compose.containers({"REDIS_PASSWORD": PASSWORD}, SETTINGS)
    trial.machine.bring_up(containers)

    with httpx.Client(base_url=f"http://127.0.0.1:{trial.port}", timeout=120, trust_env=False) as http:
        health = http.get("/health").json()
        assert (health["status"], health["total_instances"]) == ("healthy", 5)
        transcribes(http)

    ended = trial.machine.stop()
    assert set(ended) == set(containers) - {"weights"}
    assert set(ended.values()) == {0}
    only_writes_where_it_may(trial, containers)


def test_the_pods_of_kubernetes(trial: Trial) -> None:
    """One of each becomes ready, transcribes, tells KEDA what waits, and ends within its grace period."""
    manifests = kubernetes.built("cpu")
    redis = compose.containers({"REDIS_PASSWORD": PASSWORD}, {})["redis"]
    pods = kubernetes.containers(manifests, SETTINGS | {"ASR_REDIS_URL": trial.redis_url})
    trial.machine.bring_up({"redis": redis})
    trial.machine.bring_up(pods)

    with httpx.Client(base_url=f"http://127.0.0.1:{trial.port}", timeout=120, trust_env=False) as http:
        assert http.get("/health").json()["status"] == "healthy"
        transcribes(http)
        metrics = http.get("/metrics").text
    for scaled in kubernetes.of_kind(manifests, "ScaledObject").values():
        for trigger in scaled["spec"]["triggers"]:
            assert trigger["metadata"]["valueLocation"] in selectors(metrics)

    assert set(trial.machine.stop().values()) == {0}
    only_writes_where_it_may(trial, pods)


def transcribes(http: httpx.Client) -> None:
    """Speech comes back as text."""
    (clip, *_) = clips("en")
    answer = http.post("/asr", files={"file": ("a.wav", clip.path.read_bytes())}, data={"lang": "en"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["stats"] == {
        "total_segments": 1,
        "successful_segments": 1,
        "failed_segments": 0,
        "success_rate": 1.0,
    }


def only_writes_where_it_may(trial: Trial, containers: Mapping[str, Container]) -> None:
    """What is new in the checkout lies where a volume would be: the rest of an image is read-only."""
    folders = {path for one in containers.values() for path in one.writable if path.startswith(HOME)}
    volumes = {Path(path.removeprefix(f"{HOME}/")) for path in folders}
    elsewhere = {path for path in trial.written() if not volumes & set(path.parents)}

    assert elsewhere == set()


def selectors(metrics: str) -> set[str]:
    """All that can be chosen in an exposition by a name and its labels, as KEDA does it."""
    return {
        sample.name + (f"{{{labels}}}" if labels else "")
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        for labels in [",".join(f'{name}="{value}"' for name, value in sample.labels.items())]
    }
