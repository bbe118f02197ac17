"""What the documentation shows is what happens: its commands and its Python run in a fresh checkout."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

import pytest

from tests.book.clone import Clone
from tests.book.console import Command, Names, commands
from tests.book.pages import Fence, Page, pages

#: What takes minutes, or asks others than the service: `tests/unit/book` has their arguments parsed.
ELSEWHERE: Final = re.compile(
    r"\./justw (test|check|audit|lock|compare|fuzz|chaos|soak|overload|bench(-lanes)?|restart --rolling|"
    r"loadtest(?! smoke))\b"
)

#: Those that have something to run; the README in Chinese has what the English one has.
PAGES: Final = [
    page
    for page in pages()
    if {fence.info for fence in page.fences} & {"console", "python"} and page.path.name != "README.zh.md"
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A checkout as a new user has it, with the embedded model, as CI can reach no model hub."""
    clone = Clone(tmp_path_factory.mktemp("clone"), ASR_MODEL="whisper-base")
    yield clone
    clone.stop()


@pytest.fixture
def running(clone: Clone) -> Iterator[Clone]:
    """The same with its service up, open to everyone, and without settings in `.env`."""
    started = clone.run("./justw start")
    assert started.status == 0, started.text
    yield clone
    left = [clone.home / ".env", *(clone.home / ".quintet").glob("keys.*")]
    if any(path.exists() for path in left):
        for path in left:
            path.unlink(missing_ok=True)
        clone.stop()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_page(page: Page, running: Clone) -> None:
    """Each of its commands succeeds and prints what is shown; each piece of Python runs."""
    names = Names()
    for fence in page.fences:
        match fence.info:
            case "console":
                for command in commands(fence):
                    check(command, names, running)
            case "python":
                run_python(fence, running)
            case _:
                pass


def check(command: Command, names: Names, clone: Clone) -> None:
    """Run a command, if it can be run here, and compare."""
    if ELSEWHERE.match(command.line):
        return
    printed = clone.run(names.put_in(command.line))
    told = f"{command.where}\n$ {command.line}\n{printed.text}"
    assert printed.status in {0, None}, f"{told}[exit status {printed.status}]"
    if command.shown:
        assert names.fits(command.shown, printed.text), f"{told}[is not]\n{command.shown}"


def run_python(fence: Fence, clone: Clone) -> None:
    """Run it as a script."""
    printed = clone.run(f".venv/bin/python -c {shlex.quote(fence.text)}")
    assert printed.status == 0, f"{fence.where}\n{fence.text}\n{printed.text}"
