"""What a plan may be asked for, and what it is told from."""

from pathlib import Path

import msgspec
import pytest

from loadtest.capacity import options
from loadtest.capacity.__main__ import main
from loadtest.capacity.demand import BadDemand, Kind, duration_s, mix
from loadtest.capacity.gpus import DENSE_TFLOPS, PUBLISHED, Origin, speed
from loadtest.capacity.measured import BadFigures
from tests.doubles.tables import bench, row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--hours-per-day", "0"], "--hours-per-day must be from 1 to"),
        (["--hours-per-day", "nan"], "--hours-per-day must be from 1 to"),
        (["--hours-per-day", "1e12"], "--hours-per-day must be from 1 to"),
        (["--hours-per-day", "10", "--p95", "2"], "'2' is no duration"),
        (["--hours-per-day", "10", "--p95", "0s"], "'0s' is no duration"),
        (["--hours-per-day", "10", "--p95", "1ms"], "a p95 of 0.001 s cannot be had"),
        (["--hours-per-day", "10", "--peak", "0.5"], "--peak must be from 1 to"),
        (["--hours-per-day", "10", "--mix", "lectures"], "--mix lectures: it is clips, calls"),
        (["--hours-per-day", "10", "--mix", "8s=-1"], "--mix 8s=-1: it is clips, calls"),
        (["--hours-per-day", "10", "--mix", "8s=0"], "come to nothing"),
        (["--hours-per-day", "10", "--gpu", "voodoo2"], "nothing is known of the GPU 'voodoo2'"),
        (["--hours-per-day", "10", "--measured", "none.json"], "none.json is neither of"),
    ],
)
def test_nonsense(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever cannot be planned is refused in a sentence, with a status of its own."""
    status = main(arguments)

    out, error = capsys.readouterr()
    assert (status, out) == (2, "")
    assert said in error
    assert error.count("\n") == 1


def test_durations() -> None:
    """As people write them."""
    assert [duration_s(text) for text in ("500ms", "2s", "1.5min", "1h")] == [0.5, 2.0, 90.0, 3600.0]


def test_mixes() -> None:
    """Shares of the audio, in any unit; by name, the same."""
    assert mix("8s=1,1h=3") == (Kind(8.0, 0.25), Kind(3600.0, 0.75))
    assert mix("calls") == (Kind(300.0, 1.0),)
    with pytest.raises(BadDemand):
        mix("8s")


def test_speeds_say_where_they_come_from() -> None:
    """What nobody has published is called an estimate, and follows from the peak and one efficiency."""
    assert {name for name in DENSE_TFLOPS if speed(name).origin is Origin.PUBLISHED} == set(PUBLISHED)
    assert all(speed(name).source for name in DENSE_TFLOPS)
    estimated = speed("h100")
    assert estimated.origin is Origin.ESTIMATE
    assert estimated.rtfx / PUBLISHED["l4"].rtfx == pytest.approx(
        DENSE_TFLOPS["h100"] / DENSE_TFLOPS["l4"], rel=1e-3
    )


def test_a_bench_of_ones_own(tmp_path: Path) -> None:
    """The GPU of a table of `bench` goes before what others have published."""
    table = tmp_path / "bench.json"
    table.write_bytes(msgspec.json.encode(bench(row("cuda_engine", rtfx=12_345.0))))

    asked = options.parse(["--hours-per-day", "10", "--gpu", "l4", "--measured", str(table)])

    assert asked.wanted.speed is not None
    assert (asked.wanted.speed.rtfx, asked.wanted.speed.origin) == (12_345.0, Origin.MEASURED)


def test_a_bench_of_slower_cores(tmp_path: Path) -> None:
    """Engines are as fast by core as the table's bare one."""
    fast, slow = tmp_path / "fast.json", tmp_path / "slow.json"
    for path, rtfx in ((fast, 120.0), (slow, 60.0)):
        path.write_bytes(msgspec.json.encode(bench(row("efficiency", bare_rtfx=rtfx))))

    quick, tardy = (
        options.parse(["--hours-per-day", "10", "--measured", str(path)]).measured.engine(1)
        for path in (fast, slow)
    )

    assert tardy.per_audio_s == pytest.approx(2 * quick.per_audio_s)


def test_another_file(tmp_path: Path) -> None:
    """A file that has other things in it is named."""
    other = tmp_path / "other.json"
    other.write_text("{}")

    with pytest.raises(BadFigures, match=r"other\.json"):
        options.parse(["--hours-per-day", "10", "--measured", str(other)])
