"""Nothing in the documentation leads nowhere, and nothing in it is kept from running without a reason."""

import re
import shlex
from typing import Final

import pytest

from loadtest.plan import BadPlan
from tests.book.console import Command, commands
from tests.book.pages import Fence, Page, pages, read, slug_of
from tests.book.recipes import parse, recipes
from tests.checkouts import ROOT

PAGES: Final = [*pages(), read(ROOT / "CHANGELOG.md")]
FENCES: Final = [fence for page in PAGES for fence in page.fences]

#: What a plain machine does not have; a fence that is not run must need it, or say what else it needs.
NOT_HERE: Final = {"docker", "kubectl", "kustomize", "helm", "ssh", "git", "systemctl"}

#: What fences may be; all others are only shown.
INFOS: Final = {"", "text", "console", "python", "json", "toml", "ini", "nginx", "yaml", "mermaid", "lua"}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links(page: Page) -> None:
    """Each leads to a file of the checkout and a heading in it; those to elsewhere are https."""
    for link in page.links:
        if "://" in link:
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in read(target).anchors, f"{page.name}: {link}"


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("OpenAI's API", "openais-api"),
        ("Set up, start, transcribe two samples", "set-up-start-transcribe-two-samples"),
        ("`a_b` and C++", "a_b-and-c"),
        ("开始使用", "开始使用"),
    ],
)
def test_anchors(heading: str, anchor: str) -> None:
    """As GitHub makes them."""
    assert slug_of(heading) == anchor


@pytest.mark.parametrize("fence", FENCES, ids=[fence.where for fence in FENCES])
def test_fences(fence: Fence) -> None:
    """Each is run, or shows no commands, or says why it is not run."""
    if not fence.info.startswith("console not-run"):
        assert fence.info in INFOS, fence.info
        assert "$ " not in {line[:2] for line in fence.text.splitlines()} or fence.info == "console"
        return
    reason = fence.info.removeprefix("console not-run").strip()
    if not reason:
        programs = {shlex.split(command.line)[0] for command in commands(fence)}
        assert programs & NOT_HERE, f"{fence.where} is not run, and says no reason"


CONSOLE: Final = [
    command for fence in FENCES if fence.info.startswith("console") for command in commands(fence)
]
RECIPES: Final = [command for command in CONSOLE if "./justw" in command.line]


@pytest.mark.parametrize("command", RECIPES, ids=[f"{one.where} {one.line}" for one in RECIPES])
def test_arguments(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each recipe is there and takes them."""
    words = shlex.split(command.line.partition("./justw")[2], comments=True)
    plain = words[: next((at for at, word in enumerate(words) if word in {">", "|", "&&", "&"}), len(words))]

    parse(plain[0], plain[1:], monkeypatch)


@pytest.mark.parametrize(
    "line", ["./justw loadtest short rate=4", "./justw soak --hours 1", "./justw lock now"]
)
def test_wrong_arguments(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe that does not take them is found out."""
    _, name, *words = line.split()

    with pytest.raises((BadPlan, SystemExit, AssertionError)):
        parse(name, words, monkeypatch)


#: What sentences and tables name, without those that stand for many: FILE, [lang], ….
IN_PROSE: Final = sorted(
    {
        found[1]
        for page in pages()
        for code in page.code
        if (found := re.fullmatch(r"\./justw ([^A-Z\[…|]*)", code))
    }
)


@pytest.mark.parametrize("line", IN_PROSE)
def test_recipes_in_prose(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is each, and it takes what it is given."""
    name, *words = shlex.split(line)

    assert name in recipes()
    if words:
        parse(name, words, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_paths_in_prose(page: Page) -> None:
    """There is each file of the checkout that is named."""
    made = ROOT / "loadtest_reports", ROOT / "monitoring_logs"  # by the service, on machines where it has run
    folders = (path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    tops = "|".join(path.name for path in folders if path not in made)
    named = {path for code in page.code for path in re.findall(rf"(?<![\w./-])(?:{tops})/[\w./-]+", code)}

    assert {path for path in named if not (ROOT / path).exists()} == set()
