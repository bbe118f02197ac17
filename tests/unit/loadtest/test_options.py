"""The command line means what a user would think."""

from pathlib import Path

import pytest

from loadtest.options import OPTIONS, parse
from loadtest.plan import BadPlan, Plan, plan


def test_every_value_of_the_plan_is_an_option() -> None:
    """Nothing that can be planned can only be said in a file."""
    assert set(OPTIONS) == set(Plan.__struct_fields__) - {"profile"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["short", "--concurrent-users", "20", "--even", "true"],
        ["--concurrent_users=20", "short", "--even=true"],
        ["concurrent_users=20", "short", "even=true"],
        ["--even", "1", "short", "concurrent-users=20"],
    ],
)
def test_spellings(arguments: list[str]) -> None:
    """With dashes or without, as a word or an option, in any order."""
    asked = parse(arguments)
    wanted = plan(asked.profile, asked.changes)

    assert (wanted.profile, wanted.concurrent_users, wanted.even) == ("short", 20, True)
    assert wanted.rate_per_s == 1  # the profile's


def test_paths(tmp_path: Path) -> None:
    """They are meant from where the user is."""
    asked = parse(
        ["--from", str(tmp_path), "test_file=a.wav", "--out", "here", "--compare", "a.json", "b.json"]
    )

    assert asked.changes == {"test_file": str(tmp_path / "a.wav")}
    assert asked.out == tmp_path / "here"
    assert asked.compare == (tmp_path / "a.json", tmp_path / "b.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["users=20"], "there is no option 'users'"),
        (["smoke", "short"], "one profile at a time"),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    """They are named."""
    with pytest.raises(BadPlan, match=message):
        parse(arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"concurrent_users": "many"}, "concurrent_users"),
        ({"endpoint": "ars"}, "endpoint"),
        ({"timeout": "0"}, "timeout must be from 0.1"),
        ({"seed": "-1"}, "seed must be from 0"),
    ],
)
def test_bad_values(change: dict[str, str], message: str) -> None:
    """So are values."""
    with pytest.raises(BadPlan, match=message):
        plan("seed", change)
