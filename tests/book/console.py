"""Fences that show a terminal: commands behind `$ `, and what they print.

`…` in the output stands for anything in its line, a line of it alone for any lines. `0b4f…`, four hexadecimal
digits, and `qk_…` are ids and keys: what they stand for at first, they stand for in all that follows. Spaces
that only align a line do not count.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tests.book.pages import Fence

PROMPT: Final = "$ "

_NAME: Final = re.compile(r"\b(?:[0-9a-f]{4}|qk_)…")
_PART: Final = re.compile(rf"{_NAME.pattern}|…")
_ANY_LINES: Final = re.compile(r"(?m)^…\n")


class Command(Struct, frozen=True):
    """A command, and what it is said to print."""

    where: str
    line: str
    shown: str


def commands(fence: Fence) -> Iterator[Command]:
    """The commands of a fence, with the lines that follow each; a backslash goes on in the next."""
    line = ""
    shown: list[str] = []
    for text in fence.text.splitlines():
        if line.endswith("\\"):
            line += f"\n{text}"
        elif text.startswith(PROMPT):
            if line:
                yield _command(fence, line, shown)
            line, shown = text.removeprefix(PROMPT), []
        else:
            assert line, f"{fence.where}: output without a command"
            shown.append(text)
    assert line, f"{fence.where}: no command"
    yield _command(fence, line, shown)


def _command(fence: Fence, line: str, shown: list[str]) -> Command:
    return Command(fence.where, line, "\n".join(shown).strip())


def _plain(text: str) -> str:
    """A text without the spaces that only align it."""
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


class Names:
    """What the names of a page stand for."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def put_in(self, line: str) -> str:
        """A command with what its names stand for."""
        return _NAME.sub(lambda name: self._known[name[0]], line)

    def fits(self, shown: str, printed: str) -> bool:
        """Whether this was printed; what is named in it for the first time is remembered."""
        groups: dict[str, str] = {}
        pattern = "".join(self._parts(_ANY_LINES.sub("\0", f"{_plain(shown)}\n"), groups))
        found = re.fullmatch(pattern, f"{_plain(printed)}\n")
        if found:
            self._known |= {name: found[group] for name, group in groups.items()}
        return found is not None

    def _parts(self, shown: str, groups: dict[str, str]) -> Iterator[str]:
        end = 0
        for part in re.finditer(rf"{_PART.pattern}|\0", shown):
            yield re.escape(shown[end : part.start()])
            yield self._part(part[0], groups)
            end = part.end()
        yield re.escape(shown[end:])

    def _part(self, part: str, groups: dict[str, str]) -> str:
        match part:
            case "\0":
                return r"(?:.*\n)*?"
            case "…":
                return ".*?"
            case _ if part in self._known:
                return re.escape(self._known[part])
            case _ if part in groups:
                return f"(?P={groups[part]})"
            case _:
                groups[part] = f"name{len(groups)}"
                return rf"(?P<{groups[part]}>[\w-]+)"
