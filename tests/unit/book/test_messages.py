"""What troubleshooting quotes is what the service says."""

import re
from itertools import chain
from typing import Final

import pytest

from tests.book.pages import read
from tests.checkouts import ROOT

PAGE: Final = read(ROOT / "docs" / "troubleshooting.md")

#: What others say: pip, Redis, CUDA and the kernel.
FOREIGN: Final = {
    "THESE PACKAGES DO NOT MATCH THE HASHES",
    "DB index is out of range",
    "CUDA out of memory",
    "Out of memory",
}

#: Commands, and events of the log.
_OTHER: Final = re.compile(r"\./justw |[a-z]+\.[a-z_]+ ")

#: Two pieces of one text, as they stand in the code.
_JOINT: Final = re.compile(r'"\s*f?"')


def quotes() -> list[str]:
    """The messages in the first column of the tables: what has a space in it."""
    cells = re.findall(r"^\| (.*?) \|", PAGE.prose, re.MULTILINE)
    code = chain.from_iterable(re.findall("`([^`]*)`", cell) for cell in cells)
    return sorted({one for one in code if " " in one and not _OTHER.match(one)})


def longest_words(quote: str) -> str:
    """The longest piece of a message that has no number, name or gap in it."""
    pieces: list[str] = re.findall(r"[A-Za-z][a-zA-Z' ,-]+", quote)
    return max(pieces, key=len).strip(" ,-")


@pytest.fixture(scope="module")
def source() -> str:
    """All code that says something."""
    files = chain.from_iterable(
        (ROOT / top).rglob("*.py") for top in ("actors", "api", "deploy", "monitoring")
    )
    texts = [path.read_text() for path in files]
    return _JOINT.sub("", "\n".join([*texts, (ROOT / "deploy" / "python.sh").read_text()]))


@pytest.mark.parametrize("quote", quotes())
def test_messages(quote: str, source: str) -> None:
    """Its longest piece is in the code."""
    assert longest_words(quote) in source or any(one in quote for one in FOREIGN)


def test_other_messages(source: str) -> None:
    """Another wording is found out."""
    assert longest_words("Port 5002 is occupied by something else") not in source
