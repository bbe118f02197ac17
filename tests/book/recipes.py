"""The recipes of the justfile, and what they make of their arguments, without doing it."""

import argparse
import importlib
import re
import sys
from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec import Struct

from loadtest import conditions, options
from loadtest.plan import plan
from tests.chaos import faults
from tests.checkouts import ROOT

_RECIPE: Final = re.compile(
    r"(?P<private>\[private\]\n(?:\[.*\]\n)*)?"
    r"^(?P<name>[a-z][\w-]*)[^:\n]*:[^\n=]*\n"
    r"(?P<body>(?:    .*\n)*)",
    re.MULTILINE,
)
_PYTHON: Final = re.compile(r"\{\{ python \}\} -m (?P<module>(?!deploy\.browser)[\w.]+)(?P<words>[^\n]*)")


class Recipe(Struct, frozen=True):
    """A recipe: the module it runs, and what it gives that besides its arguments."""

    module: str
    words: tuple[str, ...]


class _Parsed(BaseException):
    """The arguments are right, and nothing more shall happen."""


def recipes() -> dict[str, Recipe]:
    """All that `./justw` lists."""
    found = {}
    for recipe in _RECIPE.finditer((ROOT / "justfile").read_text()):
        if recipe["private"]:
            continue
        runs = _PYTHON.search(recipe["body"])
        service = re.search(r'\(_service "(\w+)"\)|_service (\w+)', recipe[0])
        if service:
            found[recipe["name"]] = Recipe("deploy.service", (service[1] or service[2],))
        elif runs:
            words = [word for word in runs["words"].split() if re.fullmatch(r"[a-z]+", word)]
            found[recipe["name"]] = Recipe(runs["module"], tuple(words))
        else:
            found[recipe["name"]] = Recipe("", ())
    return found


def parse(name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a recipe read its arguments.

    Raises:
        Exception, SystemExit: it would refuse them.
    """
    recipe = recipes()[name]
    match name:
        case "test":
            missing = [one for one in arguments if one.startswith("tests/") and not (ROOT / one).exists()]
            assert not missing
        case "loadtest":
            asked = options.parse(arguments)
            plan(asked.profile, asked.changes, asked.profiles)
            conditions.parse(asked.fail_if or "errors>0")
        case "lock":
            assert set(arguments) <= {"--upgrade"}
        case "demo" | "alerts" | "start" | "stop" | "status" | "setup" | "check" | "help":
            assert not arguments
        case _:
            _parse(recipe, arguments, monkeypatch)
            chosen = arguments[arguments.index("--faults") + 1].split(",") if "--faults" in arguments else []
            assert set(chosen) <= {fault.name for fault in faults.ALL}


def _parse(recipe: Recipe, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parse_args = argparse.ArgumentParser.parse_args

    def only_parse(parser: argparse.ArgumentParser, *args: Any, **options: Any) -> None:
        parse_args(parser, *args, **options)
        raise _Parsed

    with monkeypatch.context() as changed:
        changed.setattr(argparse.ArgumentParser, "parse_args", only_parse)
        changed.setattr(sys, "argv", [recipe.module, *recipe.words, *arguments])
        with pytest.raises(_Parsed):
            _main(recipe.module)()


def _main(module: str) -> Callable[[], int]:
    """What `python -m` runs."""
    found = importlib.import_module(module)
    if hasattr(found, "__path__"):
        found = importlib.import_module(f"{module}.__main__")
    main: Callable[[], int] = found.main
    return main
