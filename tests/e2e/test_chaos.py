"""Faults under load, a few of those that `just chaos` has; test_faults.py kills what can be killed."""

import math
from pathlib import Path

from loadtest.corpus import Recording
from loadtest.corpus.clips import clips, joined
from loadtest.corpus.encoding import encoded
from tests.chaos.faults import (
    SUPERVISORD_KILLED_AND_STOPPED,
    AtOnce,
    ConnectionsReset,
    EngineFails,
    Hang,
    RedisFull,
    RedisStalled,
)
from tests.chaos.target import Target
from tests.chaos.trial import Load, Trial
from tests.doubles.engines import FaultyEngine

FAULTS = (
    RedisStalled(for_s=2),
    RedisFull(for_s=2),
    ConnectionsReset(),
    EngineFails("device-lost", FaultyEngine.LOSE),
    AtOnce("two-hang", (EngineFails("engine-hangs", FaultyEngine.HANG), Hang("courier"))),
    SUPERVISORD_KILLED_AND_STOPPED,
)


def recording(folder: Path, name: str, times: int) -> Recording:
    """All clips of a language, over and over."""
    file = folder / name
    audio = joined(clips("zh" if "zh" in name else "en") * times, 500)
    file.write_bytes(encoded(audio, file.suffix[1:]))
    return Recording(name=name, path=file, language="auto", audio_s=len(audio) / 1000)


def test_faults_under_load(tmp_path: Path) -> None:
    """Nothing is lost, done twice or mistaken for another; all is well again by itself, and nothing left."""
    home = tmp_path / "chaos"
    home.mkdir()
    target = Target(home, ASR_INSTANCES="2", ASR_BATCH_TIMEOUT_S="5", ASR_HANG_TIMEOUT_S="10")
    load = Load(
        shorts=[recording(tmp_path, "en.m4a", 1), recording(tmp_path, "zh.flac", 1)],
        long=recording(tmp_path, "long-zh.mp3", 7),
        users=4,
        pause_s=0.5,
        refused_within_s=math.inf,  # how slow the machine is must not decide
    )

    result = Trial(target, load).run(FAULTS)

    assert not result.broken
    assert [one.fault for one in result.rounds] == [fault.name for fault in FAULTS]
