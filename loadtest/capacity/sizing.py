"""From a load to machines: what carries it, what it costs, and when one Redis is not enough."""

import math
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from loadtest.capacity.bearable import Bearable, bearable
from loadtest.capacity.cells import MOST_BUSY, RedisLoad, RedisServer, redis_load
from loadtest.capacity.demand import Demand, Speech
from loadtest.capacity.gpus import LAUNCH_S, Speed
from loadtest.capacity.measured import Measured
from loadtest.capacity.simulation.hosts import GPU_LIMITS, Gpu, Host

#: As `ASR_INSTANCES` has it.
INSTANCES_PER_GPU: Final = 5

#: The loads of the table, in hours of audio a day.
DECADES: Final = tuple(10**power for power in range(2, 9))


class Prices(Struct, frozen=True):
    """What an hour of a device costs, in whatever currency; 0 where nobody said."""

    gpu_h: float = 0.0
    vcpu_h: float = 0.0


class Machine(Struct, frozen=True, kw_only=True):
    """The unit that is multiplied: a GPU with the cores beside it, or cores alone."""

    gpu: str
    instances: int
    segmenters: int
    cores: int
    bears: Bearable


class Needed(Struct, frozen=True, kw_only=True):
    """What a load takes."""

    hours_per_day: float
    peak_rtfx: float
    requests_per_s: float
    machines: int
    #: Of these, those that may fail.
    spare: int
    instances: int
    segmenters: int
    api_processes: int
    vcpus: int
    redis: RedisLoad
    bottleneck: str
    cells: int
    #: For an hour of audio.
    gpu_hours: float
    vcpu_hours: float
    cost: float | None


class Plan(Struct, frozen=True, kw_only=True):
    """The answer."""

    demand: Demand
    speed: Speed | None
    #: Where the other figures come from.
    source: str
    machine: Machine
    needed: Needed
    #: The same from 100 to 100 million hours a day.
    scale: tuple[Needed, ...]
    #: The hours a day from which on a second Redis is needed.
    one_redis_hours_per_day: float


class Wanted(Struct, frozen=True, kw_only=True):
    """What the plan is to be made of."""

    demand: Demand
    #: A GPU's name and speed; None for CPUs alone.
    gpu: str
    speed: Speed | None
    cores: int
    spare: int
    prices: Prices
    server: RedisServer
    #: How long results are kept, and how much of the peak may wait.
    kept_h: float
    waits_s: float


def plan(wanted: Wanted, measured: Measured) -> Plan:
    """Size it.

    Raises:
        BadDemand: the latency cannot be had.
    """
    machine = _machine(wanted, measured)
    speech = Speech.of(measured.recordings)
    host = _host(wanted, measured, machine)
    machine = replace(machine, bears=bearable(host, wanted.demand, speech))
    return Plan(
        demand=wanted.demand,
        speed=wanted.speed,
        source=measured.source,
        machine=machine,
        needed=needed(wanted, measured, machine),
        scale=tuple(needed(_at(wanted, hours_per_day), measured, machine) for hours_per_day in DECADES),
        one_redis_hours_per_day=_one_redis(wanted, measured, machine),
    )


def needed(wanted: Wanted, measured: Measured, machine: Machine) -> Needed:
    """What a load takes, of such machines; each cell has its own spare ones, and an API process or more."""
    demand = wanted.demand
    requests_per_s = demand.peak_rtfx * demand.requests_per_audio_s
    cells, machines = 0, 0
    redis = _redis(wanted, measured, machine, machines)
    while cells < redis.cells(wanted.server):  # more cells have more spare machines, which Redis sees, too
        cells = redis.cells(wanted.server)
        machines = max(cells, math.ceil(demand.peak_rtfx / machine.bears.rtfx)) + wanted.spare * cells
        redis = _redis(wanted, measured, machine, machines)
    busy_s = measured.costs.api.of(requests_per_s, demand.peak_rtfx)
    api = max(cells, math.ceil(busy_s / MOST_BUSY)) + (cells if wanted.spare else 0)
    vcpus = machines * machine.cores + api + cells
    gpus = machines if wanted.speed else 0
    per_hour, prices = 24 / demand.hours_per_day, wanted.prices
    is_priced = prices.vcpu_h and (prices.gpu_h or not wanted.speed)
    return Needed(
        hours_per_day=demand.hours_per_day,
        peak_rtfx=demand.peak_rtfx,
        requests_per_s=requests_per_s,
        machines=machines,
        spare=wanted.spare * cells,
        instances=machines * machine.instances,
        segmenters=machines * machine.segmenters,
        api_processes=api,
        vcpus=vcpus,
        redis=redis,
        bottleneck=redis.bottleneck(wanted.server),
        cells=cells,
        gpu_hours=gpus * per_hour,
        vcpu_hours=vcpus * per_hour,
        cost=(gpus * prices.gpu_h + vcpus * prices.vcpu_h) * per_hour if is_priced else None,
    )


def _redis(wanted: Wanted, measured: Measured, machine: Machine, machines: int) -> RedisLoad:
    return redis_load(
        wanted.demand,
        measured,
        instances=machines * machine.instances,
        kept_h=wanted.kept_h,
        waits_s=wanted.waits_s,
    )


def _machine(wanted: Wanted, measured: Measured) -> Machine:
    """Enough segmenters and cores for what the devices recognise at most."""
    costs, requests = measured.costs, wanted.demand.requests_per_audio_s
    unknown = Bearable(saturated_rtfx=0, rtfx=0, p50_s=None, p95_s=None)
    if wanted.speed is None:
        engine_s = measured.engine(1).per_audio_s * measured.crowding
        most_rtfx = wanted.cores / engine_s
        segmenters = max(1, math.ceil(costs.segmenter.of(most_rtfx * requests, most_rtfx)))
        return Machine(
            gpu="", instances=wanted.cores, segmenters=segmenters, cores=wanted.cores, bears=unknown
        )
    most_rtfx = wanted.speed.rtfx / Speech.of(measured.recordings).share
    segmenters = max(1, math.ceil(costs.segmenter.of(most_rtfx * requests, most_rtfx) / MOST_BUSY))
    others = costs.instance.of(most_rtfx * requests, most_rtfx) / MOST_BUSY
    return Machine(
        gpu=wanted.gpu,
        instances=INSTANCES_PER_GPU,
        segmenters=segmenters,
        cores=wanted.cores or segmenters + math.ceil(others),
        bears=unknown,
    )


def _host(wanted: Wanted, measured: Measured, machine: Machine) -> Host:
    alone = Host(
        cores=machine.cores,
        instances=machine.instances,
        express=1 if machine.instances > 2 else 0,
        segmenters=machine.segmenters,
        costs=measured.costs,
        engine=measured.engine(1),
        crowding=measured.crowding,
    )
    if wanted.speed is None:
        return alone
    return replace(alone, gpu=Gpu(rtfx=wanted.speed.rtfx, launch_s=LAUNCH_S), limits=GPU_LIMITS)


def _at(wanted: Wanted, hours_per_day: float) -> Wanted:
    return replace(wanted, demand=replace(wanted.demand, hours_per_day=hours_per_day))


def _one_redis(wanted: Wanted, measured: Measured, machine: Machine) -> float:
    """By bisection, as a spare machine's instances cost Redis something whatever the load."""
    low, high = 1.0, 1e12
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        if needed(_at(wanted, middle), measured, machine).redis.cells(wanted.server) > 1:
            high = middle
        else:
            low = middle
    return low
