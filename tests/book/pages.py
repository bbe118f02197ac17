"""Pages in Markdown: their fences, headings and links."""

import re
import unicodedata
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.checkouts import ROOT

#: What a fence begins and ends with.
_MARK: Final = "```"

_CODE: Final = re.compile(r"`[^`]*`")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING: Final = re.compile(r"(#{1,6}) (.+)")
_FIGURE: Final = re.compile(r"\d[\d,.]*\d|\d")


class Fence(Struct, frozen=True):
    """A block of code: what stands behind its mark, and its lines."""

    where: str
    info: str
    text: str

    @property
    def language(self) -> str:
        """The first word behind the mark."""
        return self.info.partition(" ")[0]


class Page(Struct, frozen=True):
    """A file of the documentation."""

    path: Path
    fences: tuple[Fence, ...]
    #: Everything else.
    prose: str

    @property
    def name(self) -> str:
        """Its path in the checkout."""
        return str(self.path.relative_to(ROOT))

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each."""
        found = (_HEADING.fullmatch(line) for line in self.prose.splitlines())
        return [(len(heading[1]), heading[2]) for heading in found if heading]

    @property
    def anchors(self) -> set[str]:
        """What links may name behind `#`: GitHub numbers those of the same text."""
        slugs = [slug_of(text) for _, text in self.headings]
        before = (slugs[:at].count(slug) for at, slug in enumerate(slugs))
        return {f"{slug}-{number}" if number else slug for slug, number in zip(slugs, before, strict=True)}

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return _LINK.findall(_CODE.sub("", self.prose))

    @property
    def code(self) -> list[str]:
        """What stands between backticks."""
        return [code.strip("`") for code in _CODE.findall(self.prose)]

    @property
    def figures(self) -> list[str]:
        """Every number outside of fences, code and the targets of links."""
        return _FIGURE.findall(_LINK.sub("", _CODE.sub("", self.prose)))


def pages() -> list[Page]:
    """The README and all of `docs`."""
    return [read(ROOT / "README.md"), *(read(path) for path in sorted((ROOT / "docs").rglob("*.md")))]


def read(path: Path) -> Page:
    """A page, taken apart."""
    fences: list[Fence] = []
    prose: list[str] = []
    inside: list[str] | None = None
    info, began = "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if inside is None and line.startswith(_MARK):
            inside, info, began = [], line.removeprefix(_MARK).strip(), number
        elif inside is not None and line.startswith(_MARK):
            fences.append(Fence(f"{path.relative_to(ROOT)}:{began}", info, "\n".join(inside)))
            inside = None
        else:
            (prose if inside is None else inside).append(line)
    assert inside is None, f"{path}: the fence of line {began} does not end"
    return Page(path, tuple(fences), "\n".join(prose))


def slug_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = (one for one in heading.lower() if one in " -_" or unicodedata.category(one)[0] in "LN")
    return "".join(kept).replace(" ", "-")
