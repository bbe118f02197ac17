"""The table of `bench`, its targets, and the arithmetic of its rows."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from actors.engines.base import Row
from actors.settings import Settings
from loadtest.bench import alone, memory
from loadtest.bench.long_file import divided
from loadtest.bench.report import markdown
from loadtest.bench.rows import FIGURES, Better, Figure, Found, figure, variant
from loadtest.bench.rows import Row as TableRow
from loadtest.bench.ways import Way
from tests.doubles.tables import bench, row


def test_every_row_has_figures_and_a_measure() -> None:
    """In the same order."""
    assert list(FIGURES) == list(alone.MEASURES)


@pytest.mark.parametrize(
    ("better", "value", "met"),
    [
        (Better.HIGHER, 10, True),
        (Better.HIGHER, 9.99, False),
        (Better.LOWER, 10, True),
        (Better.LOWER, 10.01, False),
    ],
)
def test_targets(better: Better, value: float, *, met: bool) -> None:
    """A target itself is met."""
    assert Figure(what="it", better=better, target=10).is_met(value) is met
    assert Figure(what="it", better=better).is_met(value) is None


def test_variants() -> None:
    """A figure is that of all its variants."""
    assert figure("engine", "rtfx[float32]") is FIGURES["engine"]["rtfx"]
    assert (variant("rtfx[float32]"), variant("rtfx")) == ("float32", "")


def test_the_table() -> None:
    """A line for each figure, the first with the name of the row; a row without figures says why."""
    failed = TableRow(name="http", found=Found(), problem="no | such\nserver", took_s=1)
    skipped = TableRow(name="cuda_http", found=Found(skipped="no GPU here"))
    vad = row("vad", rtfx=1234.5, ratio=0.12345)
    engine = TableRow(name="engine", found=Found(values={"rtfx[float32]": 13.37}, how="in turn"))

    said, hardware, _, headings, _, *lines = markdown(bench(vad, failed, skipped, engine)).splitlines()

    assert said.startswith("Quintet 1.2.3 (abcdef0).")
    assert "2 cores of a processor, 4 GiB" in hardware
    assert [line.count("|") - line.count("\\|") for line in lines] == [headings.count("|")] * 5
    cells = [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]
    assert cells[0][0] == "`vad`"
    assert cells[0][2:] == ["≥ 1,000", "1,234", "yes", "by hand (3 s)"]
    assert cells[1][0] == ""
    assert cells[1][3] == "0.123"
    assert cells[2][3:] == ["failed", "", "no \\| such server"]
    assert cells[3][3] == "no GPU here"
    assert cells[4][1] == "full size in batches, RTFx, float32"


def test_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round counts by itself, and ratios are of rounds."""
    clock_s, row = 0.0, Row(samples=np.zeros(16_000, np.float32), language="auto", itn=True)
    took_s = iter((9.0, 9.0, 1.0, 4.0, 4.0, 4.0, 1.0, 8.0))  # the first two warm

    def recognize(_: object) -> None:
        nonlocal clock_s
        clock_s += next(took_s)

    monkeypatch.setattr(time, "perf_counter", lambda: clock_s)
    ours, theirs = Way(recognize, [[row, row]]), Way(recognize, [[row]])
    for _ in range(3):
        ours.add_round()
        theirs.add_round()

    assert ours.rtfx == 2
    assert theirs.rtfx == 0.25
    assert ours.against(theirs) == 8


def test_one_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is held, matrices take a byte for each weight where they are in 8-bit integers."""
    file = tmp_path / "model.pt"
    torch.save({"matrix": torch.zeros(2, 3), "bias": torch.zeros(5), "kernel": torch.zeros(2, 1, 2)}, file)

    monkeypatch.setattr(memory, "precisions", lambda _: ("int8", "float32"))
    assert memory.one_copy(file) == (4 * 15, 6 + 4 * 9)

    monkeypatch.setattr(memory, "precisions", lambda _: ("float32",))
    assert memory.one_copy(file) == (4 * 15, 4 * 15)


def test_the_express_instance_is_idle() -> None:
    """It never worked, so that nothing is known of it; none of the others takes its place."""
    busy = {"instance-2": 0.9, "instance-4": 0.7, "instance-3": 0.8}

    assert divided(busy, Settings(instances=4)) == ([0.0], [0.9, 0.8, 0.7])
