"""The report as one page of HTML that needs nothing else."""

from collections.abc import Sequence
from html import escape

from loadtest.advice import Advice
from loadtest.report import tables
from loadtest.report.charts import charts
from loadtest.report.document import Report
from loadtest.report.key_figures import key_figures
from loadtest.report.words import about, heading
from monitoring.sheet import Tile, section, sheet, table, tiles

#: Those of the key figures that everybody looks for first.
_TILES = (
    "answered well",
    "requests/s",
    "RTFx",
    "knee, requests/s",
    "latency p50",
    "latency p95",
    "latency p99",
)


def page(report: Report) -> str:
    """The page of a report."""
    run, figures = report.run, report.figures
    title = heading(run)
    lost = figures.requests - figures.ok
    shown = [
        Tile("requests", f"{figures.requests:,}"),
        *(
            Tile(one.name, one.written, bad=one.name == "answered well" and lost > 0)
            for one in key_figures(run, figures)
            if one.name in _TILES and one.value is not None
        ),
    ]
    said = ". ".join(f"{name.capitalize()}: {value}" for name, value in about(run))
    parts = [
        _advice(report.advice),
        *charts(run, figures),
        *(table(one.title, one.head, one.rows) for one in tables.of(run, figures)),
    ]
    return sheet(
        f"Quintet: {title}", title, f"{said}. Point at a chart for its numbers.", tiles(shown), parts
    )


def _advice(pieces: Sequence[Advice]) -> str:
    items = "".join(
        f"<li><b>{escape(piece.finding)}</b> {escape(piece.remedy)} {_settings(piece)}</li>"
        for piece in pieces
    )
    return section("Advice", f"<ul>{items}</ul>")


def _settings(piece: Advice) -> str:
    return " ".join(f"<code>{escape(name)}</code>" for name in piece.settings)
