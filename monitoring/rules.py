"""The rules of alerts, read from a table in TOML and refused as a whole where one of them is wrong."""

import enum
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from actors.errors import StartupError
from actors.settings import Settings
from monitoring.quantities import QUANTITIES

#: The rules that hold where `ASR_ALERTS` names no others.
DEFAULT: Final = Path(__file__).parent / "alerts.toml"

_HEAD: Final = re.compile(r"\s*\[\[\s*rule\s*\]\]")


class Severity(enum.StrEnum):
    """Whether somebody should look into it, or be woken."""

    WARNING = "warning"
    CRITICAL = "critical"


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A quantity of `monitoring.quantities` that must not be above, or below, a threshold for so long."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    quantity: str
    above: float | None = None
    below: float | None = None
    for_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    severity: Severity = Severity.WARNING
    summary: Annotated[str, Meta(min_length=1, max_length=200)]

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise ValueError("it needs one of above and below")

    @property
    def threshold(self) -> float:
        """What the quantity must not pass."""
        return (self.above if self.below is None else self.below) or 0.0

    def broken_by(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold."""
        return value > self.threshold if self.below is None else value < self.threshold


class BadRules(StartupError):
    """The table cannot be read; the message has the place and the reason."""


def load(settings: Settings) -> tuple[Rule, ...]:
    """The rules that the settings name.

    Raises:
        BadRules: one of them is wrong, or there is no such file.
    """
    path = Path(settings.alerts) if settings.alerts else DEFAULT
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadRules(f"ASR_ALERTS={settings.alerts} cannot be read: {error}") from error


def parse(text: str, source: str) -> tuple[Rule, ...]:
    """The rules of a table.

    Raises:
        BadRules: one of them is wrong; `source` and the line are named.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRules(f"{source}: {error}") from error
    listed = table.pop("rule", [])
    if table or not isinstance(listed, list):
        other = next(iter(table), "rule")
        raise BadRules(f"{source}: {other!r} is not known here; rules are written as [[rule]]")
    heads = [number for number, line in enumerate(text.splitlines(), start=1) if _HEAD.match(line)]
    places = (
        [f"{source}, line {line}" for line in heads] if len(heads) == len(listed) else [source] * len(listed)
    )
    rules = tuple(_rule(entry, place) for entry, place in zip(listed, places, strict=True))
    for number, rule in enumerate(rules):
        if rule.name in {earlier.name for earlier in rules[:number]}:
            raise BadRules(f"{places[number]}: a second rule named {rule.name!r}")
    return rules


def _rule(entry: Any, place: str) -> Rule:
    named = f" ({entry['name']})" if isinstance(entry, dict) and "name" in entry else ""
    try:
        rule = msgspec.convert(entry, Rule)
    except msgspec.ValidationError as error:
        raise BadRules(f"{place}{named}: {error}") from error
    # Not of rules that a book of alerts remembers: they may be of another version.
    if rule.quantity not in QUANTITIES:
        there_are = ", ".join(QUANTITIES)
        raise BadRules(f"{place}{named}: quantity: there is no {rule.quantity!r}; there are {there_are}")
    return rule
