"""What follows from a load, once it is known what a machine bears."""

import msgspec
import pytest
from msgspec.structs import replace

from loadtest.capacity import measured, options
from loadtest.capacity.__main__ import main
from loadtest.capacity.bearable import Bearable
from loadtest.capacity.cells import RedisServer
from loadtest.capacity.measured import Measured
from loadtest.capacity.sizing import Machine, Needed, Plan, Prices, Wanted, needed, plan

MACHINE = Machine(
    gpu="l4",
    instances=5,
    segmenters=2,
    cores=4,
    bears=Bearable(saturated_rtfx=500, rtfx=400, p50_s=0.2, p95_s=0.5),
)


def wanted(hours_per_day: float, *more: str) -> Wanted:
    """A load on L4s."""
    return options.parse(["--hours-per-day", str(hours_per_day), "--gpu", "l4", *more]).wanted


def of(what: Wanted) -> Needed:
    """What it takes."""
    return needed(what, measured.read(), MACHINE)


def test_machines() -> None:
    """As many as the peak needs, and those that may fail."""
    found = of(wanted(9600, "--peak", "2.5", "--spare", "2"))  # 400 RTFx on average

    assert found.peak_rtfx == pytest.approx(1000)
    assert (found.machines, found.spare) == (5, 2)
    assert (found.instances, found.segmenters) == (25, 10)


def test_the_price() -> None:
    """Of an hour of audio: all GPUs and cores of a day by its hours."""
    found = of(wanted(9600, "--gpu-hour", "0.8", "--vcpu-hour", "0.04"))

    assert found.cost == pytest.approx((found.machines * 0.8 + found.vcpus * 0.04) * 24 / 9600)
    assert of(replace(wanted(9600), prices=Prices())).cost is None


def test_redis_grows_with_the_load() -> None:
    """Ten times the load is ten times the bytes; there are always as many cells as the fullest needs."""
    small, large = of(wanted(1e5)), of(wanted(1e6))

    assert large.redis.gbit_per_s == pytest.approx(10 * small.redis.gbit_per_s)
    assert large.redis.memory_gb == pytest.approx(10 * small.redis.memory_gb)
    for one in (small, large):
        shares = one.redis.shares(RedisServer())
        assert one.cells - 1 < max(shares.values()) <= one.cells
        assert shares[one.bottleneck] == max(shares.values())


def test_what_runs_out_first() -> None:
    """A Redis with little memory, or a thin network, is divided for that."""
    assert of(wanted(1e6, "--redis-gb", "1")).bottleneck == "memory"
    assert of(wanted(1e6, "--redis-gbit", "0.1")).bottleneck == "network"
    assert of(wanted(1e6, "--redis-gb", "100000", "--redis-gbit", "10000")).bottleneck == "CPU"


def test_a_whole_plan() -> None:
    """One Redis is enough to where it says; the limit is kept; more for the same machine is no less."""
    what = wanted(1000, "--mix", "clips", "--p95", "2s")
    found = plan(what, measured.read())

    last = found.one_redis_hours_per_day
    counts = [
        needed(
            replace(what, demand=replace(what.demand, hours_per_day=hours)), measured.read(), found.machine
        )
        for hours in (last * 0.99, last * 1.01)
    ]
    assert [one.cells for one in counts] == [1, 2]
    assert found.machine.bears.p95_s is not None
    assert found.machine.bears.p95_s <= 2
    assert [one.cells for one in found.scale] == sorted(one.cells for one in found.scale)
    assert found.scale[-1].hours_per_day == 1e8


def test_a_tighter_limit_costs_more() -> None:
    """Where answers are to come sooner a machine bears less."""
    loose = plan(wanted(1000, "--mix", "clips", "--p95", "5s"), measured.read()).machine.bears
    assert loose.p95_s is not None
    limit = f"{round(800 * loose.p95_s)}ms"
    tight = plan(wanted(1000, "--mix", "clips", "--p95", limit), measured.read()).machine.bears

    assert tight.rtfx < loose.rtfx


def test_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """The table says what was not measured here; JSON has the same."""
    arguments = ["--hours-per-day", "100000", "--p95", "2s", "--gpu", "l4", "--mix", "clips"]

    assert main(arguments) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert main([*arguments, "--json"]) == 0
    decoded = msgspec.json.decode(capsys.readouterr().out, type=Plan)

    assert "published, not measured here" in table
    assert f"{decoded.needed.machines:,}" in table
    assert decoded.speed is not None
    assert decoded.demand.hours_per_day == 100_000


def test_the_recorded_figures_are_whole() -> None:
    """They say what they were measured on, and are written as they are read."""
    found = measured.read()

    assert found.commit
    assert "-dirty" not in found.commit
    assert found.hardware.cores
    assert msgspec.json.decode(msgspec.json.encode(found), type=Measured) == found
