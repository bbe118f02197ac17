"""What makes a table of `bench` worse than an earlier one, and what is said of it."""

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from loadtest.bench import alone, check
from loadtest.bench.__main__ import main
from loadtest.bench.rows import Found, Row, Size, figure
from tests.doubles.tables import bench, row


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
        ("engine", {"ratio[float32]": 1.0}, {"ratio[float32]": 3.0}, True),
    ],
)
def test_what_is_worse(
    name: str, values: Mapping[str, float], earlier: Mapping[str, float], *, is_worse: bool
) -> None:
    """Only stable figures that both tables have, and by more than a tenth."""
    sentences = check.compare(bench(row(name, **values)), bench(row(name, **earlier))).worse

    assert len(sentences) == is_worse
    assert all(next(iter(values)) in sentence and "abcdef0" in sentence for sentence in sentences)


def test_what_is_missing() -> None:
    """A stable figure that was there has to be there, unless its row is skipped or was not asked for."""
    before = bench(row("vad", rtfx=700, ratio=3), row("memory", ratio=1.2), row("cuda_engine", batching=2))
    skipped = Row(name="cuda_engine", found=Found(skipped="no GPU here"))

    verdict = check.compare(bench(row("vad", other_edges=0), skipped), before)

    assert verdict.worse == ("vad ratio is missing; it was 3 in abcdef0: ours ÷ FunASR's own, one thread",)
    assert verdict.uncompared == (
        "cuda_engine is not compared: no GPU here",
        "vad other_edges is not compared: abcdef0 does not have it",
    )


def test_a_row_that_failed_has_no_figures_to_miss() -> None:
    """It has failed already."""
    failed = Row(name="vad", found=Found(), problem="no weights")

    assert check.compare(bench(failed), bench(row("vad", ratio=3))) == check.Verdict((), ())


@pytest.mark.parametrize(
    ("earlier", "status", "said"),
    [
        ({"ratio": 3.0}, 0, ""),
        ({"ratio": 3.6}, 1, "vad ratio is 3, over 10% worse than the 3.6 of abcdef0"),
        ({"ratio": 3.0, "other_edges": 0}, 1, "vad other_edges is missing"),
        ({}, 0, "vad ratio is not compared: abcdef0 does not have it"),
    ],
)
def test_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: Mapping[str, float], status: int, said: str
) -> None:
    """Of a run that is compared, and what it says."""
    monkeypatch.setattr(alone, "measured", lambda _name, _size: Found(values={"ratio": 3.0}))
    file = tmp_path / "earlier.json"
    file.write_bytes(msgspec.json.encode(bench(row("vad", **earlier))))

    with contextlib.redirect_stderr(io.StringIO()) as errors:
        assert main(["--check", str(file), "--only", "vad", "--out", str(tmp_path / "out")]) == status

    assert said in errors.getvalue()


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


def test_a_table_that_means_nothing(tmp_path: Path) -> None:
    """What was measured with --quick is compared with nothing."""
    file = tmp_path / "quick.json"
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(bench(), size=Size.QUICK)))

    with pytest.raises(check.BadBaseline, match="measured with --quick"):
        check.read(file)
