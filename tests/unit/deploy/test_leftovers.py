"""Which processes may be ended."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy import leftovers
from deploy.paths import REDIS_CONF


@pytest.mark.parametrize(
    "command",
    [
        [".venv/bin/python", "-m", "actors.instance", "3"],
        [".venv/bin/python", "-m", "api"],
        ["/srv/q/.venv/bin/python", "-m", "supervisor.supervisord", "-c", "deploy/supervisord.conf"],
        ["/opt/valkey-server", str(REDIS_CONF)],
    ],
)
def test_the_processes_of_the_service_are_known(command: list[str]) -> None:
    """Each program of supervisord.conf is recognised by its command line."""
    assert leftovers.is_service(command)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["vim", "actors/instance.py"],
        ["python", "-m", "pytest"],
        ["python", "-m", "deploy.service", "stop"],
        ["valkey-server", "/etc/valkey/valkey.conf"],
    ],
)
def test_other_processes_are_left_alone(command: list[str]) -> None:
    """An editor, a test run, the command itself or somebody's Redis is none of ours."""
    assert not leftovers.is_service(command)


def test_a_command_line_alone_is_not_enough() -> None:
    """A process that looks like an instance but was not started by this checkout is never found."""
    command = [sys.executable, "-c", "input()", "-m", "actors.instance", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as stranger:
        found = {process.pid for process in leftovers.find()}
        stranger.communicate()

    assert stranger.pid not in found


def test_an_orphan_of_a_checkout_is_found_and_ended(tmp_path: Path) -> None:
    """With the variable, the folder and the command line together it is ours, and goes."""
    command = [sys.executable, "-c", "input()", "-m", "actors.instance", "1"]
    env = {**os.environ, "QUINTET_HOME": str(tmp_path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=env, cwd=tmp_path) as orphan:
        found = leftovers.find(tmp_path)
        leftovers.end(found)

    assert [process.pid for process in found] == [orphan.pid]
    assert not psutil.pid_exists(orphan.pid)
