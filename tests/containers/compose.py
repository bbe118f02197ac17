"""compose.yaml, as Docker Compose reads it: merged, interpolated, and cut to the profiles."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from tests.checkouts import ROOT
from tests.containers.container import Container, image_env, image_health

COMPOSE: Final = ROOT / "compose.yaml"

#: What no `--profile` at all means.
NO_PROFILE: Final = frozenset({""})

_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)(?::(?P<mark>[-?])(?P<rest>[^${}]*))?\}")
_DOLLAR: Final = "\0"


class Missing(Exception):
    """A variable must be set; the message says what the file says of it."""


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The whole file with these variables in place."""
    whole = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return {key: _interpolated(part, variables) for key, part in whole.items() if not key.startswith("x-")}


def services(file: Mapping[str, Any], profiles: frozenset[str] = NO_PROFILE) -> dict[str, Any]:
    """The services that these profiles start."""
    return {
        name: service
        for name, service in file["services"].items()
        if not service.get("profiles") or profiles & set(service["profiles"])
    }


def containers(
    variables: Mapping[str, str], env_file: Mapping[str, str], profiles: frozenset[str] = NO_PROFILE
) -> dict[str, Container]:
    """What is started, with these lines in `.env`."""
    file = read(variables)
    started = services(file, profiles)
    return {name: _container(name, started, env_file, file["configs"]) for name in started}


def _container(
    name: str, started: Mapping[str, Any], env_file: Mapping[str, str], configs: Mapping[str, Any]
) -> Container:
    service = started[name]
    ours = service["image"].startswith("quintet:")
    given = env_file if "env_file" in service else {}
    return Container(
        name=name,
        command=service["command"],
        env={**(image_env() if ours else {}), **given, **service["environment"]},
        health=_health(service.get("healthcheck", {}), ours=ours),
        grace_s=float(service["stop_grace_period"].removesuffix("s")),
        needs={
            other: how["condition"]
            for other, how in service.get("depends_on", {}).items()
            if other in started
        },
        writable=frozenset([*service.get("tmpfs", []), *(one.split(":")[1] for one in service["volumes"])]),
        files={
            config["target"]: configs[config["source"]]["content"] for config in service.get("configs", [])
        },
    )


def _health(check: Mapping[str, Any], *, ours: bool) -> list[str]:
    if check.get("disable"):
        return []
    match check.get("test"):
        case ["CMD-SHELL", line]:
            return ["sh", "-c", line]
        case ["CMD", *command]:
            return [str(word) for word in command]
        case _:
            return image_health() if ours else []


def _interpolated(part: Any, variables: Mapping[str, str]) -> Any:
    match part:
        case dict():
            return {key: _interpolated(value, variables) for key, value in part.items()}
        case list():
            return [_interpolated(value, variables) for value in part]
        case str():
            return _filled(part, variables)
        case _:
            return part


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """From the innermost variable outwards."""

    def value(found: re.Match[str]) -> str:
        name, mark, rest = found["name"], found["mark"], found["rest"]
        if variables.get(name):
            return variables[name]
        if mark == "?":
            raise Missing(f"{name} {rest.replace(_DOLLAR, '$')}")
        return rest or ""

    text = text.replace("$$", _DOLLAR)
    while _VARIABLE.search(text):
        text = _VARIABLE.sub(value, text)
    return text.replace(_DOLLAR, "$")
