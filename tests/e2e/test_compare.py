"""Quintet beside FunASR's own server, as `just compare` runs it."""

import json
from pathlib import Path

import psutil

from loadtest.versus.__main__ import LEAST_REQUESTS
from tests.e2e.conftest import checkout


def test_compare(tmp_path: Path) -> None:
    """Both are started on the same weights and measured in turn; the table is written, nothing is left."""
    home = checkout(tmp_path / "home", ASR_INSTANCES="1")
    out = tmp_path / "out"
    least = ("--users", "1", "--rounds", "1", "--seconds", "0.001", "--out", str(out))

    done = home.run("loadtest.versus", *least)

    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = out.glob("*.json")
    (one,) = json.loads(report.read_text())["rounds"]
    for side in (one["ours"], one["theirs"]):
        assert side["requests"] == LEAST_REQUESTS
        assert side["failed"] == 0
        assert side["rtfx"] > 0
    assert "funasr-server 1.4.16" in next(out.glob("*.md")).read_text()
    assert not [one.pid for one in psutil.process_iter() if str(tmp_path) in " ".join(_command(one))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
