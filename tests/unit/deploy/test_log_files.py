"""Choosing log files."""

from pathlib import Path

import pytest

from deploy.log_files import NoSuchLog, select


def test_one_or_all(tmp_path: Path) -> None:
    """A name selects one log, no name all; rotated ones are not shown."""
    for name in ("api.log", "api.log.1", "instance-1.log"):
        (tmp_path / name).touch()

    assert select("api", tmp_path) == [tmp_path / "api.log"]
    assert select("", tmp_path) == [tmp_path / "api.log", tmp_path / "instance-1.log"]


def test_a_wrong_name_lists_the_right_ones(tmp_path: Path) -> None:
    """So does a typo find its word."""
    (tmp_path / "api.log").touch()

    with pytest.raises(NoSuchLog, match="no log named ap; there are api"):
        select("ap", tmp_path)


def test_before_the_first_start_there_are_none(tmp_path: Path) -> None:
    """The sentence says what makes them."""
    with pytest.raises(NoSuchLog, match=r"\./justw start"):
        select("", tmp_path)
