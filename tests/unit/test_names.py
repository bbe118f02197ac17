"""What workers are called, and what runs where."""

import socket
from pathlib import Path

import pytest

from actors import names, settings
from actors.names import WorkerKind, WorkerName
from actors.settings import Settings, SettingsError

SHARED = "redis://:s3cret@hub/0"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("instance-1", WorkerName(WorkerKind.INSTANCE, "", 1)),
        ("segmenter-12@gpu-2.example", WorkerName(WorkerKind.SEGMENTER, "gpu-2.example", 12)),
    ],
)
def test_a_name_is_read_as_it_is_written(text: str, name: WorkerName) -> None:
    """Whatever dashes and dots the host has."""
    assert WorkerName.parse(text) == name
    assert str(name) == text
    assert name.process == text.partition("@")[0]


@pytest.mark.parametrize(
    ("config", "node"),
    [
        (Settings(), ""),
        (Settings(redis_url="unix:///run/redis.sock?db=0"), ""),
        (Settings(redis_url=SHARED), socket.gethostname()),
        (Settings(redis_url=SHARED, node="gpu-2"), "gpu-2"),
        (Settings(redis_url="unix:///run/redis.sock", node="gpu-2"), "gpu-2"),
    ],
)
def test_the_host_is_named_where_others_may_be(config: Settings, node: str) -> None:
    """A Redis on a socket file has one host, unless that is said to have a name."""
    assert WorkerName.of(config, WorkerKind.INSTANCE, 1).node == node


def test_what_a_host_is_to_run() -> None:
    """By its parts, and no worker where these are elsewhere."""
    parts = ("instances", "segmenters,api", "api,monitor")
    wanted = [Settings(redis_url=SHARED, node="a", instances=2, parts=part) for part in parts]

    assert [[str(name) for name in names.expected(one)] for one in wanted] == [
        ["instance-1@a", "instance-2@a"],
        ["segmenter-1@a"],
        [],
    ]


def test_parts_apart_need_a_redis_that_all_reach() -> None:
    """It is said which, and what helps; monitor and courier may be missing anywhere."""
    env = {"ASR_PARTS": "api,monitor,courier"}

    with pytest.raises(SettingsError, match=r"leaves instances and segmenters to .* ASR_REDIS_URL on every"):
        settings.load(env, Path("none"))
    assert settings.load(env | {"ASR_REDIS_URL": SHARED}, Path("none")).runs == {"api", "monitor", "courier"}
    assert "api" in settings.load({"ASR_PARTS": "api,segmenters,instances"}, Path("none")).runs
    with pytest.raises(SettingsError, match="ASR_PARTS='worker' is not allowed"):
        settings.load({"ASR_PARTS": "worker"}, Path("none"))
