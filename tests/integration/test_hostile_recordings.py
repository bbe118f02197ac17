"""Damaged files and bombs straight through decode and VAD: heard or refused, in bounded memory and time."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.bombs import BOMBS
from tests.fuzz.decoding import Decoding
from tests.fuzz.mutations import made
from tests.fuzz.samples import WRITERS, sample
from tests.fuzz.trial import tried
from tests.fuzz.verdict import Outcome


@pytest.fixture(scope="module")
def judge() -> Iterator[Decoding]:
    """One child, so that what a bomb leaves behind is seen in those that follow."""
    with Decoding() as judge:
        yield judge


def test_damaged_files() -> None:
    """Five hundred, of every container: none brings the decoder down, hangs, or swells."""
    judged = tried(made(seed=7, count=500), Decoding, at_once=2)

    assert len(judged) == 500
    assert [(one.file.number, one.verdict) for one in judged if one.verdict.is_defect] == []
    # Damage that is always refused would show nothing.
    assert sum(one.verdict.outcome is Outcome.HEARD for one in judged) > 100


@pytest.mark.parametrize("container", [name for name in WRITERS if name != "ape"])
def test_undamaged_files(judge: Decoding, container: str, tmp_path: Path) -> None:
    """Every container is one that is heard, until it is damaged."""
    path = tmp_path / container
    path.write_bytes(sample(container))

    assert judge(path).said == "1 segments"


@pytest.mark.skipif(not psutil.LINUX, reason="only Linux bounds what a process asks for")
@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb(judge: Decoding, bomb: str, tmp_path: Path) -> None:
    """It is heard or refused, and takes no more memory than all uploads together may."""
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[bomb]())

    verdict = judge(path)

    assert not verdict.is_defect, verdict
