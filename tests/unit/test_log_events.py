"""Logs tell what happened, in words that are listed, and nothing that must stay secret."""

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]

CRASH = """
import structlog
from actors import logs
from actors.settings import Settings
logs.configure(Settings(), "instance-1")
def work(heard):
    raise RuntimeError("it broke")
try:
    work("what somebody said in confidence")
except RuntimeError:
    structlog.stdlib.get_logger().exception("crashed", job="j1")
"""

LEVELS = """
import logging
import structlog
from actors import logs
from actors.settings import Settings
logs.configure(Settings(log_level="{level}"), "api")
structlog.stdlib.get_logger().debug("segment.cut")
logging.getLogger("library").debug("what was sent")
structlog.stdlib.get_logger().info("job.ended")
"""


class Logged(Struct):
    """What is logged under a name, or documented of it."""

    levels: set[str] = set()
    fields: set[str] = set()


def test_a_crash_logs_no_local_variables() -> None:
    """The traceback is there, the values of its variables are not: among them are transcripts."""
    event = json.loads(stderr_of(CRASH))

    assert (event["event"], event["job"], event["process"]) == ("crashed", "j1", "instance-1")
    assert event["exception"][0]["exc_value"] == "it broke"
    assert "confidence" not in str(event)


@pytest.mark.parametrize(
    ("level", "events"), [("debug", ["segment.cut", "job.ended"]), ("info", ["job.ended"]), ("warning", [])]
)
def test_levels(level: str, events: list[str]) -> None:
    """What is below the level is not logged, and never what libraries say at debug."""
    lines = stderr_of(LEVELS.format(level=level)).splitlines()

    assert [json.loads(line)["event"] for line in lines] == events


def test_the_list_is_what_the_code_logs() -> None:
    """Every event with its levels and fields is in `docs/logs.md`, and no other."""
    known, found = listed(), logged()

    assert {name for name in known if not any(fnmatchcase(name, pattern) for pattern in found)} == set()
    for pattern, what in found.items():
        of = [known[name] for name in known if fnmatchcase(name, pattern)]
        assert of, f"{pattern} is not listed"
        assert what.levels <= set().union(*(one.levels for one in of)), pattern
        assert what.fields <= set().union(*(one.fields for one in of)), pattern


def test_names_of_events() -> None:
    """A noun and what became of it."""
    assert [name for name in listed() if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)] == []


def listed() -> dict[str, Logged]:
    """The list in the documentation."""
    rows = re.findall(
        r"^\| `(.*?)` \| (.*?) \| .*? \| (.*?) \|", (ROOT / "docs" / "logs.md").read_text(), re.MULTILINE
    )
    return {
        name: Logged(set(levels.split(", ")), set(re.findall("`(.*?)`", of))) for name, levels, of in rows
    }


def logged() -> dict[str, Logged]:
    """What the code logs; `*` stands for what is put into a name."""
    found: dict[str, Logged] = defaultdict(Logged)
    for package in ("actors", "monitoring", "api"):
        for path in (ROOT / package).rglob("*.py"):
            for name, level, call in calls(ast.parse(path.read_text())):
                found[name].levels |= {level} - {""}
                found[name].fields |= {keyword.arg for keyword in call.keywords if keyword.arg} - {"exc_info"}
    return found


def calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """Calls of a logger's methods, whose level is "" where one of them was chosen before."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=method), args=[name]):
                yield named(name), {"exception": "error"}.get(method, method), node
            case ast.Call(func=ast.Name(id="event" | "tell"), args=[name]):
                yield named(name), "", node
            case _:
                continue


def named(name: ast.expr) -> str:
    """The name of an event."""
    match name:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
        case _:
            raise AssertionError(ast.unparse(name))


def stderr_of(code: str) -> str:
    """What a process writes."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stderr
