"""How much one machine bears within the limit of latency, by simulation."""

import math
from typing import Final

import numpy as np
from msgspec import Struct

from loadtest.capacity import demand as demands
from loadtest.capacity.demand import Demand, Speech
from loadtest.capacity.simulation.hosts import Host
from loadtest.capacity.simulation.pipeline import open_loop, saturated
from loadtest.capacity.simulation.work import LONG_S
from loadtest.percentiles import percentile

#: Of what a machine does at saturation: above it queues grow with every bad minute.
MOST_LOADED: Final = 0.9

#: Segments of a simulation; fewer say little of a p95, more take longer.
SEGMENTS: Final = 2_500
FEWEST_REQUESTS: Final = 200

_LOADS: Final = tuple(round(MOST_LOADED - 0.05 * step, 2) for step in range(18))


class Bearable(Struct, frozen=True, kw_only=True):
    """The load of one machine, in seconds of audio per second, and the latency it leads to."""

    saturated_rtfx: float
    rtfx: float
    #: Of recordings of a minute at most; null where there are none.
    p50_s: float | None
    p95_s: float | None


def bearable(host: Host, demand: Demand, speech: Speech) -> Bearable:
    """The most that keeps the limit, to a twentieth of what saturates.

    Raises:
        BadDemand: an idle machine takes longer.
    """
    saturated_rtfx = saturation_rtfx(host, demand, speech)
    if not demand.has_short:
        rtfx = MOST_LOADED * saturated_rtfx
        return Bearable(saturated_rtfx=saturated_rtfx, rtfx=rtfx, p50_s=None, p95_s=None)
    low, high = 0, len(_LOADS)  # the loads descend: the first that keeps the limit is looked for
    best: Bearable | None = None
    tightest_s = math.inf
    while low < high:
        middle = (low + high) // 2
        tried = at_load(host, demand, speech, saturated_rtfx, _LOADS[middle])
        tightest_s = min(tightest_s, tried.p95_s or math.inf)
        if tried.p95_s is not None and tried.p95_s <= demand.p95_s:
            best, high = tried, middle
        else:
            low = middle + 1
    if best is None:
        raise demands.BadDemand(
            f"a p95 of {demand.p95_s:g} s cannot be had: with next to nothing to do it is {tightest_s:.2f} s"
        )
    return best


def at_load(host: Host, demand: Demand, speech: Speech, saturated_rtfx: float, share: float) -> Bearable:
    """What a share of saturation leads to."""
    rtfx = share * saturated_rtfx
    service = open_loop(host, demands.dues(demand, speech, rtfx, _requests(demand, speech)))
    short_s = sorted(one.latency_s for one in service.served if one.recording.audio_s <= LONG_S)
    return Bearable(
        saturated_rtfx=saturated_rtfx,
        rtfx=rtfx,
        p50_s=percentile(short_s, 0.5) if short_s else None,
        p95_s=percentile(short_s, 0.95) if short_s else None,
    )


def saturation_rtfx(host: Host, demand: Demand, speech: Speech) -> float:
    """Seconds of audio per second when there is always more to do."""
    users = 2 * host.limits.rows * host.instances
    recordings = demands.endless(demand, speech, np.random.default_rng(1))
    finished = saturated(host, recordings, users, max(SEGMENTS, 6 * users)).finished
    full = finished[len(finished) // 5 :]  # before that the queues fill
    return sum(length_s for _, length_s in full[1:]) / speech.share / (full[-1][0] - full[0][0])


def _requests(demand: Demand, speech: Speech) -> int:
    """So many recordings have about `SEGMENTS`."""
    per_audio_s = speech.share / (sum(speech.lengths_s) / len(speech.lengths_s))
    segments_each = max(1.0, per_audio_s / demand.requests_per_audio_s)
    return max(FEWEST_REQUESTS, round(SEGMENTS / segments_each))
