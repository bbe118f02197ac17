"""The report needs nothing but itself, and tells pauses, failures and alerts from what was well."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from actors.clock import now_ms
from deploy import report
from monitoring import axes
from monitoring.episodes import Episode, episodes
from monitoring.health import Condition, Health
from monitoring.report import page
from monitoring.snapshot import Snapshot
from monitoring.snapshot_files import SnapshotFiles
from tests.doubles.snapshots import busy, quiet


def day() -> list[Snapshot]:
    """Two busy minutes, a pause of ten, and two quiet ones in which an instance is lost."""
    worked = [busy(at * 30_000) for at in range(4)]
    lost = msgspec.structs.replace(quiet(0).instances[0], state=Condition.LOST, rss_mb=None)
    hurt = [
        quiet(
            720_000 + at * 30_000,
            instances=(lost, *quiet(0).instances[1:]),
            health=Health.DEGRADED,
            alerts=("<down>",),
        )
        for at in range(4)
    ]
    return [*worked, *hurt, quiet(840_000)]


def drawings(html: str) -> dict[str, ET.Element]:
    """The charts by their titles."""
    found = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    parsed = [ET.fromstring(svg) for svg in found]
    return {svg.attrib["aria-label"]: svg for svg in parsed}


def of_class(svg: ET.Element, name: str) -> list[ET.Element]:
    """The parts of a chart with a class."""
    return [part for part in svg.iter() if name in part.attrib.get("class", "").split()]


def test_self_contained() -> None:
    """It refers to nothing elsewhere, and runs nothing."""
    html = page(day())

    assert not re.search(r"https?://|<script|<link|src=|@import|url\(", html)
    assert "prefers-color-scheme: dark" in html


def test_a_pause_breaks_the_lines() -> None:
    """What the monitor did not see is not drawn, and latency only where there were requests."""
    charts = drawings(page(day()))

    assert len(of_class(charts["Requests per second"], "line")) == 2
    assert len(of_class(charts["Latency of transcripts"], "line")) == 3
    assert len(of_class(charts["95th percentile of each stage"], "line")) == 1


def test_what_was_wrong_is_red() -> None:
    """The alert on the time line and the lost instance; a name from outside ends no tag."""
    html = page(day())
    charts = drawings(html)

    assert len(of_class(charts["Health and alerts"], "bad")) == 3
    assert len(of_class(charts["Health and alerts"], "warn")) == 3
    assert len(of_class(charts["How busy each instance was"], "bad")) == 3
    assert "&lt;down&gt;" in html
    assert "<down>" not in html


@pytest.mark.parametrize("few", [[quiet(0)], [busy(0)], [quiet(0), quiet(0)], [busy(0), quiet(1)]])
def test_hardly_anything(few: Sequence[Snapshot]) -> None:
    """A service that has just been started has a report too."""
    assert len(drawings(page(few))) == 10


def test_episodes() -> None:
    """Each from when it was first seen until it no longer was; one that lasts has no end."""
    seen = [quiet(0), quiet(1, alerts=("a",)), quiet(2, alerts=("a", "b")), quiet(3, alerts=("b",))]

    assert episodes(seen) == [
        Episode(name="a", from_ms=1, until_ms=3),
        Episode(name="b", from_ms=2, until_ms=None),
    ]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes the page where it is told to, of the time that it is told."""
    files = SnapshotFiles(tmp_path)
    for age_ms in (7_200_000, 60_000, 30_000):
        files.write(msgspec.json.encode(quiet(now_ms() - age_ms)), axes.local(now_ms()))

    assert report.main(["--since", "90m", "--out", str(tmp_path / "r.html")], tmp_path) == 0

    assert capsys.readouterr().out == f"{tmp_path / 'r.html'}: 2 snapshots\n"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_nothing_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and writes nothing."""
    assert report.main(["--out", str(tmp_path / "r.html")], tmp_path / "none") == 1

    assert "There are no snapshots" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("wrong", ["24", "1w", "-3h", ""])
def test_no_period(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what one looks like."""
    with pytest.raises(SystemExit):
        report.main([f"--since={wrong}"])

    assert "no period such as 90m, 24h or 7d" in capsys.readouterr().err


def test_the_instances_of_several_hosts() -> None:
    """Those of a host stand together, in the order of their numbers."""
    names = [f"instance-{number}@{host}" for host in ("b", "a") for number in (10, 9, 1)]
    one = quiet(0).instances[0]
    workers = tuple(msgspec.structs.replace(one, name=name) for name in names)

    chart = drawings(page([quiet(0, instances=workers), quiet(30_000, instances=workers)]))[
        "How busy each instance was"
    ]

    rows = [part.text for part in of_class(chart, "mark")]
    assert rows == [f"instance-{number}@{host}" for host in ("a", "b") for number in (1, 9, 10)]


def test_a_long_name_of_a_host() -> None:
    """It stands within the drawing; of one that is longer yet its beginning and its end are shown."""
    name = f"instance-1@{'very-' * 20}long-1.example.com"
    worker = msgspec.structs.replace(quiet(0).instances[0], name=name)

    for shown in (name, name[:30]):
        workers = (msgspec.structs.replace(worker, name=shown),)
        busy_ones = drawings(page([quiet(0, instances=workers)]))["How busy each instance was"]

        written = of_class(busy_ones, "mark")[0]
        said = written.text or ""
        assert said.startswith("instance-1@very-")
        assert said.endswith(shown[-11:])
        assert float(written.attrib["x"]) >= 6.5 * len(said)
