"""Where the time of a saturated service goes, from looks at it to the tables."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pytest

from actors.histogram import bucket
from actors.metrics import AUDIO_S, BATCH_ROWS, STAGE_S
from loadtest.bench import profile_tables
from loadtest.bench.looks import Look, Spent, saturated
from loadtest.bench.profile import Profile
from loadtest.metrics import Metrics
from monitoring.exposition import Family, expose
from monitoring.measures import Measures

NOTHING: Final = Spent()


def test_saturated() -> None:
    """From the first to the last look with enough in flight, whatever happens around them."""
    looks = [look(at_s, waiting=waiting) for at_s, waiting in enumerate((1, 4, 6, 4, 0))]

    assert saturated(looks, 6) == (looks[1], looks[3])
    with pytest.raises(ValueError, match="fewer than two"):
        saturated(looks, 8)


def test_a_profile() -> None:
    """What was counted and spent between two looks; the engine's threads are those that spent most."""
    first = look(
        10,
        Spent(programs={"api": 1, "instance-1": 5}, threads={"instance-1": {7: 3, 8: 2}}),
        {BATCH_ROWS.field((), str(bucket(1))): 1, BATCH_ROWS.field((), "sum"): 1_000_000},
    )
    last = look(
        14,
        Spent(
            programs={"api": 2, "instance-1": 9, "instance-2": 1},
            threads={"instance-1": {7: 6, 8: 2.5, 9: 0.5}, "instance-2": {4: 0.75}},
        ),
        {
            BATCH_ROWS.field((), str(bucket(1))): 2,
            BATCH_ROWS.field((), str(bucket(2))): 1,
            BATCH_ROWS.field((), "sum"): 4_000_000,
            STAGE_S.field(("vad",), str(bucket(0.5))): 4,
            STAGE_S.field(("vad",), "sum"): 2_000_000,
            AUDIO_S.field(()): 80_000,
        },
    )

    found = Profile.between(first, last, cores=2, engine_threads=1)

    assert (found.wall_s, found.audio_s) == (4, 80)
    assert found.programs == {"api": 1, "instance-1": 4, "instance-2": 1}
    assert found.engines == {"instance-1": 3, "instance-2": 0.75}
    assert found.engine_share == 0.75
    assert (found.batches, found.batch_rows) == (2, 1.5)
    assert found.stages.keys() == {"vad"}
    assert (found.stages["vad"].count, found.stages["vad"].mean_s) == (4, 0.5)

    lines = list(profile_tables.markdown("efficiency", found))

    assert [line for line in lines if line.startswith(("| instance", "| ·"))] == [
        "| instance, all 2 | 5.00 s | 62.50 ms | 62.5% |",
        "| · instance-1 | 4.00 s | 50.00 ms | 50.0% |",
        "| · instance-2 | 1.00 s | 12.50 ms | 12.5% |",
    ]
    assert "| idle, and other programs | 2.00 s | 25.00 ms | 25.0% |" in lines
    assert next(line for line in lines if line.startswith("| vad |")).startswith("| vad | 4 | 500 ms |")


def look(
    at_s: float, spent: Spent = NOTHING, counts: Mapping[str, int] = MappingProxyType({}), waiting: float = 0
) -> Look:
    """A moment of a service with so many jobs waiting, and two running."""
    gauges = [
        Family("asr_jobs_waiting", "gauge", "Jobs.", (({}, waiting),)),
        Family("asr_jobs_running", "gauge", "Jobs.", (({}, 2.0),)),
    ]
    return Look(at_s=at_s, metrics=Metrics.parse(expose(Measures(dict(counts)), gauges)), spent=spent)
