"""`bench` as `just bench` runs it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import checkout


def test_a_row(tmp_path: Path) -> None:
    """Rows that can be measured are written beside one that cannot be here, which counts as good."""
    home = checkout(tmp_path / "home")
    out = tmp_path / "out"

    done = home.run("loadtest.bench", "--quick", "--only", "vad,parity,cuda_engine", "--out", str(out))

    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = out.glob("bench_report_*.json")
    vad, parity, cuda = json.loads(report.read_text())["rows"]
    assert vad["found"]["values"]["other_edges"] == 0
    assert vad["found"]["values"]["ratio"] > 0
    assert not vad["problem"]
    assert 0 <= parity["found"]["values"]["differ[SenseVoice, bfloat16]"] < 5
    assert 0 <= parity["found"]["values"]["differ[Whisper, int8]"] < 50
    assert cuda["name"] == "cuda_engine"
    assert "| `vad` |" in next(out.glob("bench_report_*.md")).read_text()


def test_a_row_that_fails(tmp_path: Path) -> None:
    """It says why, the others stay, and the status is 1."""
    home = checkout(tmp_path / "home")
    (home.home / ".quintet" / "weights").unlink()  # the VAD's are gone
    out = tmp_path / "out"

    done = home.run("loadtest.bench", "--quick", "--only", "vad,cuda_engine", "--out", str(out))

    assert done.returncode == 1, done.stdout + done.stderr
    assert "vad could not be measured: StartupError: " in done.stderr
    vad, cuda = json.loads(next(out.glob("*.json")).read_text())["rows"]
    assert vad["problem"]
    assert not cuda["problem"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_early(tmp_path: Path, number: int) -> None:
    """What has been measured is written, and the service that was being started is gone."""
    home = checkout(tmp_path / "home")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "loadtest.bench", "--quick", "--only", "cuda_engine,overhead"]
    environment = home.env | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*command, "--out", str(out)], cwd=home.home, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while not _of(tmp_path, "actors.instance"):
            time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate()

    assert process.returncode == 130, said
    (only,) = json.loads(next(out.glob("*.json")).read_text())["rows"]
    assert only["name"] == "cuda_engine"
    assert not _of(tmp_path, "")


def _of(folder: Path, module: str) -> list[int]:
    """The processes that run a module in a copy of the checkout under the folder."""
    return [one.pid for one in psutil.process_iter() if _is_of(one, folder, module)]


def _is_of(process: psutil.Process, folder: Path, module: str) -> bool:
    try:
        return folder in Path(process.cwd()).parents and module in " ".join(process.cmdline())
    except psutil.Error:
        return False
