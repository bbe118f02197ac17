"""Whatever an operator or a client may use is documented."""

import re
import tomllib
from typing import Any, Final

import pytest

from actors import settings
from actors.settings import Settings
from api.callers import Callers
from tests.book.pages import Page, pages, read
from tests.book.recipes import recipes
from tests.checkouts import ROOT
from tests.unit.test_dashboards import exposed

DOCS: Final = ROOT / "docs"

#: What a histogram adds to its name.
_PARTS: Final = re.compile(r"_(bucket|sum|count)$")


def first_cells(page: Page) -> set[str]:
    """All code in the first column of its tables."""
    rows = re.findall(r"^\| ([^|]*) \|", page.prose, re.MULTILINE)
    return {code for row in rows for code in re.findall("`([^`]*)`", row)}


def test_settings_table() -> None:
    """Every setting with its default and range; `python -m actors.settings` prints the table."""
    text = (DOCS / "settings.md").read_text()

    assert text.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0] == settings.table()


def test_settings_in_prose() -> None:
    """Every `ASR_…` that a page names is one."""
    named = {name for page in pages() for name in re.findall(r"\bASR_[A-Z_]*[A-Z]\b", page.path.read_text())}

    assert named - {*settings.names(), settings.LOADTEST_KEY} == set()


def test_recipes() -> None:
    """Each has its row, and each row its recipe."""
    rows = {code.removeprefix("./justw ").split()[0] for code in first_cells(read(DOCS / "commands.md"))}

    assert rows == recipes().keys()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_endpoints() -> None:
    """Each endpoint has its row, with its method, and each row its endpoint; `/docs` describes each, too."""
    from api.app import create_app

    app = create_app(Settings(redis_url="redis://127.0.0.1:1/0"), Callers(Settings()))
    described: dict[str, Any] = app.openapi_schema.to_schema()["paths"]
    known = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    rows = {code for code in first_cells(read(DOCS / "http.md")) if re.match("[A-Z]+ /", code)}

    assert rows - {"GET /"} == known
    assert all(method["description"] for methods in described.values() for method in methods.values())


def test_metrics() -> None:
    """Each metric has its row, and each row its metric."""
    rows = {code for code in first_cells(read(DOCS / "operations.md")) if code.startswith("asr_")}

    assert rows == {_PARTS.sub("", name) for name in exposed()}


def test_alerts() -> None:
    """Each alert of the service has its row, and each row its alert."""
    alerts = tomllib.loads((ROOT / "monitoring" / "alerts.toml").read_text())["rule"]
    table = (DOCS / "operations.md").read_text().partition("## Alerts\n")[2].partition("\nThe rules are")[0]

    assert re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.MULTILINE) == [
        (alert["name"], alert["severity"]) for alert in alerts
    ]


@pytest.mark.parametrize("name", ["README.md", "docs/README.md"])
def test_every_page_is_listed(name: str) -> None:
    """Whoever begins at either finds all of the book."""
    index = read(ROOT / name)
    listed = {
        (index.path.parent / link.partition("#")[0]).resolve() for link in index.links if "://" not in link
    }

    assert {page.path for page in pages()} - listed <= {ROOT / "README.md", DOCS / "README.md"}
