"""A container, as far as it can be had without an engine."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tests.checkouts import ROOT

DOCKERFILE: Final = ROOT / "deploy" / "docker" / "Dockerfile"

#: Where the image has the checkout.
HOME: Final = "/quintet"

#: The stage that installs, and the one that processes are started from.
PACKAGES: Final = "packages"
SERVICE: Final = "service"


class Container(Struct, frozen=True, kw_only=True):
    """One process: how it is started, asked how it is, and stopped."""

    name: str
    command: list[str]
    env: dict[str, str]
    #: What says with 0 that it is well: a command, or an address that answers with 200. Empty: nobody asks.
    health: list[str] = []
    health_url: str = ""
    #: After a SIGTERM it is killed when so many seconds are over.
    grace_s: float
    #: What must be so of others before it is started: name → condition.
    needs: dict[str, str] = {}
    #: The folders that it may write to.
    writable: frozenset[str]
    #: Path → what lies there.
    files: dict[str, str] = {}


def image_env() -> dict[str, str]:
    """The environment that the image sets."""
    pairs = re.findall(r"(\w+)=(\S+)", _instruction("ENV"))
    return {name: value.replace("$PATH", "/usr/local/bin:/usr/bin:/bin") for name, value in pairs}


def image_health() -> list[str]:
    """The health check of the image."""
    return re.findall(r'"([^"]+)"', _instruction("HEALTHCHECK").partition("CMD")[2])


def copied(stage: str) -> list[str]:
    """What a stage takes from the checkout."""
    sources = [line.split()[:-1] for line in _instructions("COPY", stage) if not line.startswith("--from")]
    return [path for line in sources for path in line]


def _instruction(name: str) -> str:
    (line,) = _instructions(name, SERVICE)
    return line


def _instructions(name: str, stage: str) -> list[str]:
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)
    (wanted,) = (part for part in stages if part.partition("\n")[0].endswith(f"AS {stage}"))
    return re.findall(rf"^{name} (.*)$", wanted, flags=re.MULTILINE)


def settings_in(env: Mapping[str, str]) -> set[str]:
    """The names in it that Quintet takes for settings."""
    return {name for name in env if name.startswith("ASR_")}
