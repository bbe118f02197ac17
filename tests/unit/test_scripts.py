"""The Lua scripts keep to what every Redis takes, though the tests run on one."""

import re
from pathlib import Path

import pytest

from actors.queue import broker

ACTORS = Path(__file__).resolve().parents[2] / "actors"


@pytest.mark.parametrize("script", sorted(ACTORS.rglob("*.lua")), ids=lambda script: script.name)
def test_no_script_negates_what_it_hands_to_redis(script: Path) -> None:
    """-n of nothing is "-0": Valkey takes that for a number, Redis up to 7 does not."""
    assert not re.search(r"redis\.call\([^()]*,\s*-[a-z_#(]", script.read_text())


def test_the_dead_are_told_by_the_clock_of_redis() -> None:
    """Dramatiq's own script goes by the caller's; should it change, ours would without a word."""
    assert b'redis.call("TIME")' in broker._DISPATCH
