"""Which instances take turns at the cores."""

import pytest

from actors import devices
from actors.batcher import Limits
from actors.devices import Device
from actors.instance import rules
from actors.settings import Settings

LIMITS = Limits(rows=8, audio_s=20.0)


@pytest.mark.parametrize(
    ("cores", "instances", "at_once"),
    [(1, 5, 1), (2, 5, 2), (2, 3, 2), (4, 5, 4), (2, 1, None), (9, 5, None)],
)
def test_instances_take_turns_where_there_are_fewer_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, instances: int, at_once: int | None
) -> None:
    """As many calculate at once as there are cores for; where each has its own, none waits for another."""
    monkeypatch.setattr(devices, "cores", lambda: cores)
    config = Settings(instances=instances, devices="cpu")
    found = rules(config, devices.assign(config, 1), 1, LIMITS)

    assert (found.at_once if found else None) == at_once


def test_the_express_instance_does_not_wait_for_long_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others do."""
    monkeypatch.setattr(devices, "cores", lambda: 2)
    config = Settings(instances=5, devices="cpu")
    found = [rules(config, devices.assign(config, number), number, LIMITS) for number in (1, 2)]

    assert [one.express for one in found if one] == [True, False]


def test_no_turns_on_a_gpu() -> None:
    """Its own scheduler shares it."""
    assert rules(Settings(), Device("cuda", 0, threads=1), 1, LIMITS) is None
