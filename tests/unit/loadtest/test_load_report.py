"""Reports hold what was measured, in three forms, and nothing that anybody slipped in."""

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from loadtest import report
from loadtest.advice import advice
from loadtest.figures import figures
from loadtest.percentiles import durations
from loadtest.records import Run
from loadtest.report import files
from tests.doubles.runs import SERVICE, hurt, look, refused, run, sample, saturated

HOSTILE = '</title><script src="//evil">\x1b[2J\x07'

RUNS = {
    "as they are": hurt(),
    "raised": saturated(),
    "interrupted": replace(hurt(), interrupted=True, samples=hurt().samples[:7]),
    "all errors": run([refused(at) for at in range(20)], [look(0)]),
    "one request": run([sample(0, 1)]),
    "at once": run([sample(0, 0)]),
    "empty": run(),
    "dead": run(looks=[look(0, health="away", health_s=None, healthy_instances=0, busy={}, processes={})]),
}


class Page(HTMLParser):
    """What a page consists of; every element that is opened must be closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more."""
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One that closes itself."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """The last one that was opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, for people and browsers."""
        self.text += data

    def charts(self) -> list[str | None]:
        """The names of the charts."""
        return [attributes["aria-label"] for tag, attributes in self.seen if tag == "svg"]


def written(one: Run, folder: Path) -> report.Reports:
    """The reports of a run."""
    return report.write(one, figures(one), folder)


@pytest.mark.parametrize("name", RUNS)
def test_all_forms(name: str, tmp_path: Path) -> None:
    """The JSON reads back equal, the page is whole and refers to nothing, the text has the advice."""
    one = RUNS[name]
    found = figures(one)
    reports = written(one, tmp_path)

    known = report.read(reports.json)
    assert (known.run, known.figures, known.advice) == (one, found, advice(one, found))
    page = Page(reports.html)
    assert not {"script", "link", "img", "iframe", "a"} & {tag for tag, _ in page.seen}
    assert not {"src", "href", "action"} & {key for _, attributes in page.seen for key in attributes}
    assert not re.search(r"https?://(?!127\.0\.0\.1)|@import|url\(", reports.html.read_text())
    assert not re.search(r"\b(nan|inf)\b", reports.html.read_text() + reports.text.read_text())
    assert len(page.charts()) >= 5
    text = " ".join(reports.text.read_text(encoding="utf-8").split())
    assert all(piece.finding.rstrip(".") in text for piece in known.advice)


def test_figures_are_shown(tmp_path: Path) -> None:
    """Those that people look for, in the text and on the page."""
    reports = written(hurt(), tmp_path)
    text, page = reports.text.read_text(), Page(reports.html)

    rate = figures(hurt()).throughput
    took = durations(one.latency_s for one in hurt().samples if one.outcome == "ok")
    assert rate is not None
    assert took is not None
    for shown in (f"{rate.rtfx:.3g}", f"{took.p95_s:.3g} s", f"{took.p50_s * 1000:.3g} ms", "96.54 %"):
        assert shown in text
        assert shown in page.text
    for stage in ("queue", "decode", "vad", "wait", "recognise", "assemble"):
        assert re.search(rf"^  {stage} +260 ", text, re.MULTILINE)


def test_charts(tmp_path: Path) -> None:
    """All that may be wanted; the killed instance and the errors are red, and what follows is not."""
    html = written(hurt(), tmp_path).html
    wanted = {
        "Health, instances and errors",
        "Latency, by when a request was due",
        "Latency by percentile",
        "Answered well per second",
        "What waits",
        "Utilisation",
        "Latency of /health",
        "Cores used",
    }

    assert wanted <= set(Page(html).charts())
    said = re.findall(r'class="bad"[^>]*><title>after ([\d.]+) s · instance-3: not healthy', html.read_text())
    assert 49 <= float(said[0]) < 51
    assert 68 <= float(said[-1]) < 70
    assert re.search(r"429: \d requests", html.read_text())


def test_rates(tmp_path: Path) -> None:
    """Rates that were raised have charts and a table of their own."""
    reports = written(saturated(), tmp_path)

    assert {"Latency at each rate", "Requests per second at each rate"} <= set(Page(reports.html).charts())
    assert re.search(r"^  2 +40 .*kept, the knee$", reports.text.read_text(), re.MULTILINE)
    assert re.search(r"^  4 +80 .*broken$", reports.text.read_text(), re.MULTILINE)


def test_hostile_texts(tmp_path: Path) -> None:
    """What the service says is text: neither tags on the page nor commands for the terminal."""
    bad = sample(0, 1, recording=HOSTILE, outcome=HOSTILE, reason=HOSTILE, error_rate=1.0)
    seen = look(0, health=HOSTILE, busy={HOSTILE: True}, processes={HOSTILE: look(0).processes["api"]})
    one = replace(run([bad], [seen]), service=replace(SERVICE, model=HOSTILE, version=HOSTILE))
    reports = written(one, tmp_path)

    assert not any(tag == "script" for tag, _ in Page(reports.html).seen)
    text = reports.text.read_text()
    assert "</title><script" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert report.read(reports.json).run == one


def test_none_over_another(tmp_path: Path) -> None:
    """Two runs that began in the same second have a report each, of one name in all forms."""
    first, second = written(hurt(), tmp_path), written(run(), tmp_path)

    assert report.read(first.json).run == hurt()
    assert report.read(second.json).run == run()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 6
    assert all(
        re.fullmatch(r"performance_test_report_\d{8}_\d{6}(\.json|_readable\.txt|\.html)", n) for n in names
    )
    assert second.html.stem == second.json.stem == second.text.stem.removesuffix("_readable")


def test_nothing_by_halves(tmp_path: Path) -> None:
    """Where one cannot be written, none is left."""
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        written(run(), tmp_path / "file")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """It is known beforehand, and nothing is left; a folder that is not there yet can be made."""
    (tmp_path / "file").touch()

    files.check(tmp_path / "new" / "folder")
    with pytest.raises(OSError, match="file"):
        files.check(tmp_path / "file" / "folder")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("{", "holds no report"),
        ('{"version": 2}', "holds no report"),
        ('{"version": 1, "run": {}}', "is a report of version 1"),
        ("caf\udce9", "holds no report"),
        ('{"version": 99, "run": 1}', "is a report of version 99, and this Quintet reads 2"),
        (None, "holds no report"),
    ],
)
def test_no_report(content: str | None, hint: str, tmp_path: Path) -> None:
    """The message says why."""
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content, errors="surrogateescape")

    with pytest.raises(report.BadReport, match=hint):
        report.read(path)


def faster(one: Run, times: float) -> Run:
    """The same run with shorter answers."""
    samples = (replace(each, ended_s=each.sent_s + each.service_s / times) for each in one.samples)
    return replace(one, samples=tuple(samples))


def marks(text: str) -> dict[str, str]:
    """Figure → its mark."""
    return dict(re.findall(r"^  (.*?)  .*(better|worse|within noise)$", text, re.MULTILINE))


def test_difference(tmp_path: Path) -> None:
    """What is twice as fast is better, the other way round worse, and itself neither."""
    slow, fast = written(hurt(), tmp_path), written(faster(hurt(), 2), tmp_path)

    there = report.difference(slow.json, fast.json, tmp_path)
    back = report.difference(fast.json, slow.json, tmp_path)
    itself = report.difference(slow.json, slow.json, tmp_path)

    assert marks(there.text)["latency p95"] == "better"
    assert marks(back.text)["latency p95"] == "worse"
    assert set(marks(itself.text).values()) == {"within noise"}
    assert marks(there.text)["answered well"] == "within noise"
    assert len({there.html, back.html, itself.html}) == 3
    assert "Latency by percentile" in Page(there.html).charts()
    assert there.html.read_text().count('class="line c4"') >= 4


def test_what_differs(tmp_path: Path) -> None:
    """Values of the plan that differ are listed, for the comparison may not be fair; no others are."""
    before, after = written(hurt(), tmp_path), written(run(), tmp_path)

    found = report.difference(before.json, after.json, tmp_path).text

    assert re.search(
        r"^  rate_per_s +2.0 +0$|^  rate_per_s +2 +0$|^  rate_per_s +2.0 +0", found, re.MULTILINE
    )
    assert "concurrent_users" not in found


def test_units(tmp_path: Path) -> None:
    """Units are in the names, for programs that read the JSON."""
    known = msgspec.json.decode(written(hurt(), tmp_path).json.read_bytes())

    assert known["version"] == 2
    assert set(known["figures"]["latency"]) == {
        "count",
        "mean_s",
        "p50_s",
        "p90_s",
        "p95_s",
        "p99_s",
        "max_s",
    }
