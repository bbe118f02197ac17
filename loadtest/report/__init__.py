"""Reports of a run in JSON, as text and as a page; the difference of two."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from loadtest.advice import advice
from loadtest.figures import Figures
from loadtest.records import Run
from loadtest.report import files
from loadtest.report.comparison import Difference, difference
from loadtest.report.document import BadReport, Report, read
from loadtest.report.html import page
from loadtest.report.text import text
from monitoring.axes import local

__all__ = ["BadReport", "Difference", "Report", "Reports", "difference", "read", "write"]

PREFIX: Final = "performance_test_report"


class Reports(Struct, frozen=True, kw_only=True):
    """Where the reports of a run lie."""

    json: Path
    text: Path
    html: Path


def write(run: Run, figures: Figures, folder: Path) -> Reports:
    """Write the reports of a run, named by when it began, none over another.

    Raises:
        OSError: they cannot be written.
    """
    report = Report(run=run, figures=figures, advice=advice(run, figures))
    contents = {
        ".json": msgspec.json.encode(report),
        "_readable.txt": text(report).encode(),
        ".html": page(report).encode(),
    }
    json, readable, html = files.write(folder, PREFIX, local(run.began_ms), contents)
    return Reports(json=json, text=readable, html=html)
