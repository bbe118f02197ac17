"""What Redis has to do for a load, and over how many of them it must be divided: cells, by job."""

import math
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from loadtest.capacity.demand import HOUR_S, Demand
from loadtest.capacity.measured import Measured

#: Of what a Redis can, that is asked of it: it runs commands one after the other, and at 60 % a command waits
#: 0.75 of its own time on average (M/D/1).
MOST_BUSY: Final = 0.6

_BITS: Final = 8
_GIGA: Final = 1e9


class RedisServer(Struct, frozen=True, kw_only=True):
    """What one Redis has: a core for its commands, memory, and a network both ways."""

    memory_gb: float = 64.0
    gbit_per_s: float = 10.0


class RedisLoad(Struct, frozen=True, kw_only=True):
    """What one Redis would have to do for all of it, at the peak."""

    cores: float
    commands_per_s: float
    #: The fuller direction of its network.
    gbit_per_s: float
    memory_gb: float
    #: Of the memory, what is kept of jobs that are done.
    kept_gb: float

    def shares(self, server: RedisServer) -> Mapping[str, float]:
        """How much of what a server may be asked for it takes: above 1 it is too much for one."""
        return {
            "CPU": self.cores / MOST_BUSY,
            "network": self.gbit_per_s / server.gbit_per_s / MOST_BUSY,
            "memory": self.memory_gb / server.memory_gb / MOST_BUSY,
        }

    def cells(self, server: RedisServer) -> int:
        """Over how many servers it is to be divided."""
        return max(1, math.ceil(max(self.shares(server).values()) - 1e-9))

    def bottleneck(self, server: RedisServer) -> str:
        """What runs out first."""
        shares = self.shares(server)
        return max(shares, key=lambda name: shares[name])


def redis_load(
    demand: Demand, measured: Measured, *, instances: int, kept_h: float, waits_s: float
) -> RedisLoad:
    """What a load asks of Redis; `waits_s`: seconds of all that comes in at the peak that may be waiting."""
    costs, rtfx = measured.costs, demand.peak_rtfx
    requests_per_s = rtfx * demand.requests_per_audio_s
    day_s = demand.mean_rtfx * kept_h * HOUR_S  # audio whose results are kept
    kept_bytes = costs.kept_bytes.of(day_s * demand.requests_per_audio_s, day_s)
    queued_bytes = costs.queued_bytes.of(requests_per_s, rtfx) * waits_s
    in_bytes = costs.redis_in_bytes.of(requests_per_s, rtfx)
    out_bytes = costs.redis_out_bytes.of(requests_per_s, rtfx)
    return RedisLoad(
        cores=costs.redis.of(requests_per_s, rtfx) + measured.redis_per_instance * instances,
        commands_per_s=costs.redis_commands.of(requests_per_s, rtfx),
        gbit_per_s=max(in_bytes, out_bytes) * _BITS / _GIGA,
        memory_gb=(kept_bytes + queued_bytes) / _GIGA,
        kept_gb=kept_bytes / _GIGA,
    )
