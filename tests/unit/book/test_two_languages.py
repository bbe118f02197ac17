"""The README in Chinese says what the English one does."""

import re
from typing import Final

from tests.book.pages import Page, read
from tests.checkouts import ROOT

ENGLISH: Final = read(ROOT / "README.md")
CHINESE: Final = read(ROOT / "docs" / "README.zh.md")


def test_headings() -> None:
    """As many, at the same levels."""
    assert [level for level, _ in CHINESE.headings] == [level for level, _ in ENGLISH.headings]


def test_fences() -> None:
    """Commands, code and pictures are the same."""
    assert [(fence.info, fence.text) for fence in CHINESE.fences] == [
        (fence.info, fence.text) for fence in ENGLISH.fences
    ]


def test_code_and_figures() -> None:
    """What stands between backticks, and every number, is the same."""
    assert sorted(CHINESE.code) == sorted(ENGLISH.code)
    assert sorted(CHINESE.figures) == sorted(ENGLISH.figures)


def test_links() -> None:
    """To the same files, and each to the other."""

    def targets(page: Page) -> set[str]:
        local = {(page.path.parent / link).resolve() for link in page.links if "://" not in link}
        return {str(path) for path in local - {ENGLISH.path, CHINESE.path}}

    assert targets(CHINESE) == targets(ENGLISH)
    assert len(CHINESE.links) == len(ENGLISH.links)


def test_tables() -> None:
    """As many rows and columns."""

    def rows(page: Page) -> list[int]:
        return [line.count("|") for line in page.prose.splitlines() if re.match(r"\|", line)]

    assert rows(CHINESE) == rows(ENGLISH)
