"""The table of `bench`, its targets, what makes it worse than another, and the arithmetic of its rows."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from loadtest.bench import alone, check
from loadtest.bench.__main__ import main
from loadtest.bench.efficiency import Progress, saturated_rtfx
from loadtest.bench.report import markdown
from loadtest.bench.rows import FIGURES, Bench, Better, Figure, Found, Row, Size, figure, variant
from loadtest.records import Hardware


def bench(*rows: Row) -> Bench:
    """A table of these rows."""
    return Bench(
        version="1.2.3",
        commit="abcdef0",
        hardware=Hardware(cpu="a processor", cores=2, memory_mb=4096),
        command="./justw bench",
        size=Size.USUAL,
        began_ms=0,
        rows=rows,
    )


def row(name: str, **values: float) -> Row:
    """A row that was measured."""
    return Row(name=name, found=Found(values=values, how="by hand"), took_s=3)


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
    failed = Row(name="http", found=Found(), problem="no | such\nserver", took_s=1)
    skipped = Row(name="cuda_http", found=Found(skipped="no GPU here"))
    vad = row("vad", rtfx=1234.5, ratio=0.12345)
    engine = Row(name="engine", found=Found(values={"rtfx[float32]": 13.37}, how="in turn"))

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


@pytest.mark.parametrize(
    ("name", "values", "earlier", "is_worse"),
    [
        ("vad", {"ratio": 2.71}, {"ratio": 3.0}, False),
        ("vad", {"ratio": 2.69}, {"ratio": 3.0}, True),
        ("vad", {"ratio": 9.0}, {"ratio": 3.0}, False),
        ("vad", {"rtfx": 1.0}, {"rtfx": 1000.0}, False),  # seconds of another day
        ("vad", {"other_edges": 1}, {"other_edges": 0}, True),
        ("memory", {"ratio": 1.09}, {"ratio": 1.0}, False),
        ("memory", {"ratio": 1.11}, {"ratio": 1.0}, True),
        ("memory", {"ratio": 0.2}, {"ratio": 1.0}, False),
        ("engine", {"ratio[float32]": 1.0}, {"ratio[bfloat16]": 3.0}, False),
        ("engine", {"ratio[float32]": 1.0}, {"ratio[float32]": 3.0}, True),
    ],
)
def test_what_is_worse(
    name: str, values: Mapping[str, float], earlier: Mapping[str, float], *, is_worse: bool
) -> None:
    """Only stable figures that both tables have, and by more than a tenth."""
    sentences = check.worse(bench(row(name, **values)), bench(row(name, **earlier)))

    assert len(sentences) == is_worse
    assert all(next(iter(values)) in sentence and "abcdef0" in sentence for sentence in sentences)


def test_the_baseline_is_a_table() -> None:
    """Of the usual size, with values of known figures."""
    known = check.read(check.BASELINE)

    assert known.size is Size.USUAL
    assert all(figure(row.name, name) for row in known.rows for name in row.found.values)


def test_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no table is refused before anything is measured."""
    other = tmp_path / "other.json"
    other.write_bytes(msgspec.json.encode({"rows": 3}))

    assert main(["--check", str(other), "--only", "cuda_http", "--out", str(tmp_path)]) == 2
    assert f"{other} is no report of ./justw bench" in capsys.readouterr().err


def test_saturated() -> None:
    """The rate between the first and the last look with enough in flight, whatever happens around them."""
    looks = [
        Progress(0, 0, 1),
        Progress(1, 10, 6),
        Progress(2, 40, 8),
        Progress(3, 70, 6),
        Progress(9, 99, 2),
    ]

    assert saturated_rtfx(looks, 6) == 30
    with pytest.raises(ValueError, match="fewer than two"):
        saturated_rtfx(looks, 8)
