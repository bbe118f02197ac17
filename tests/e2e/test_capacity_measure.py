"""The figures that a plan is made of can be measured anew by whoever wants his own."""

import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.bench import services
from loadtest.capacity import measured, validation
from loadtest.capacity.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_figures_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`measure` starts services of its own, weighs what they do, and leaves a file that `plan` takes."""
    out = tmp_path / "mine.json"
    command = [sys.executable, "-m", "loadtest.capacity.measure", "--quick", "--out", str(out)]

    done = subprocess.run(
        [*command, "--model", services.INSTANT, "--instances", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=220,
    )

    assert done.returncode == 0, done.stderr
    found = measured.read(out)
    assert found.costs.redis.of(1, 10) > 0
    assert found.costs.segmenter.of(1, 10) > 0
    assert found.costs.redis_in_bytes.of(1, 10) > 10 * 32_000  # the upload itself
    assert found.costs.queued_bytes.of(1, 10) > 10 * 32_000
    assert [run.instances for run in found.runs] == [2, 2]
    assert all(figure.simulated > 0 for check in validation.checks(found) for figure in check.figures)
    assert main(["--hours-per-day", "100", "--p95", "30s", "--measured", str(out)]) == 0
    assert "100 hours of audio a day" in capsys.readouterr().out
