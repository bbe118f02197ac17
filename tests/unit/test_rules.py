"""A table of rules is read as a whole, or refused with the place and the reason."""

import re
from pathlib import Path

import pytest

from actors.settings import Settings
from monitoring import rules
from monitoring.quantities import QUANTITIES
from monitoring.rules import BadRules
from tests.doubles.snapshots import busy, quiet

GOOD = """
[[rule]]
name = "disk"
quantity = "disk_free_mb"
below = 100
for_s = 60
severity = "critical"
summary = "the disk is full"
"""


def test_the_default_rules() -> None:
    """They can be read, and none of them is broken while all is well, busy or not."""
    table = rules.load(Settings())

    assert {"no_instance", "requests_fail", "backlog_age", "gpu_memory", "disk", "no_heartbeat"} <= {
        rule.name for rule in table
    }
    for seen in (quiet(0), busy(0)):
        values = [(rule, QUANTITIES[rule.quantity](seen)) for rule in table]
        assert not [rule.name for rule, value in values if value is not None and rule.broken_by(value)]


def test_every_quantity() -> None:
    """Each is a number or nothing, whatever the snapshot."""
    for seen in (quiet(0), busy(0), quiet(0, interval_s=0.0, instances=())):
        values = [quantity(seen) for quantity in QUANTITIES.values()]
        assert all(value is None or isinstance(value, int | float) for value in values)


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    """`ASR_ALERTS` names it."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)

    (rule,) = rules.load(Settings(alerts=str(path)))

    assert (rule.name, rule.threshold, rule.for_s) == ("disk", 100, 60)
    assert rule.broken_by(99)
    assert not rule.broken_by(100)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[[rule]\n", r"mine.toml: .*at line 1"),
        ("[rule]\nname = 'x'\n", r"mine.toml: 'rule' .*\[\[rule\]\]"),
        (GOOD + "\n[[rules]]\n", r"mine.toml: 'rules' is not known"),
        (GOOD + GOOD.replace("100", '"much"'), r"mine.toml, line 10 \(disk\): Expected `float \| null`"),
        (GOOD + GOOD, r"mine.toml, line 10: a second rule named 'disk'"),
        (GOOD.replace("below", "above = 1\nbelow"), r"line 2 \(disk\): it needs one of above and below"),
        (GOOD.replace("below = 100", ""), r"it needs one of above and below"),
        (GOOD.replace("disk_free_mb", "disk"), r"quantity: there is no 'disk'; there are .*disk_free_mb"),
        (GOOD.replace("for_s = 60", "for_s = -1"), r"line 2 \(disk\): Expected `int` >= 0"),
        (GOOD.replace("for_s", "for"), r"unknown field `for`"),
        (GOOD.replace("critical", "bad"), r"Invalid enum value 'bad'"),
        (GOOD.replace('name = "disk"', ""), r"line 2: Object missing required field `name`"),
        ("rule = [1]\n", r"mine.toml: Expected `object`, got `int`"),
    ],
)
def test_wrong_tables(wrong: str, said: str) -> None:
    """The message leads to the line."""
    with pytest.raises(BadRules) as refused:
        rules.parse(wrong, "mine.toml")

    assert re.search(said, str(refused.value)), str(refused.value)


def test_no_such_table() -> None:
    """The setting is named."""
    with pytest.raises(BadRules, match=r"ASR_ALERTS=/nonexistent\.toml cannot be read"):
        rules.load(Settings(alerts="/nonexistent.toml"))
