"""What a simulated service runs on."""

from typing import Final

from msgspec import Struct

from actors.batcher import Limits
from loadtest.capacity.measured import Costs, EngineTimes, Measured

#: As an instance on a CPU has them, whose integers are not padded, and one on a GPU.
CPU_LIMITS: Final = Limits(rows=8, audio_s=20.0, padded=False)
GPU_LIMITS: Final = Limits(rows=32, audio_s=600.0)


class Gpu(Struct, frozen=True):
    """A GPU that all instances of the host share.

    The host's part of a batch, mostly launching kernels, overlaps between instances; what the GPU calculates
    does not.
    """

    rtfx: float
    launch_s: float


class Host(Struct, frozen=True, kw_only=True):
    """A machine with instances and segmenters."""

    cores: int
    instances: int
    express: int
    segmenters: int
    costs: Costs
    engine: EngineTimes
    #: Times that a batch's processor time is longer in the service than by itself.
    crowding: float = 1.0
    limits: Limits = CPU_LIMITS
    gpu: Gpu | None = None
    #: Whether who sends shares the cores.
    with_load: bool = False

    @property
    def at_once(self) -> int | None:
        """How many instances calculate at once where they take turns; None where they do not."""
        at_once = self.cores // self.engine.threads
        return None if self.gpu or at_once >= self.instances else at_once


def cpu_host(
    measured: Measured, instances: int, *, cores: int, segmenters: int = 1, load: bool = False
) -> Host:
    """A machine without a GPU, as `actors.devices` and `actors.settings` would share its cores."""
    return Host(
        cores=cores,
        instances=instances,
        express=1 if instances > 2 else 0,
        segmenters=segmenters,
        costs=measured.costs,
        engine=measured.engine(max(1, cores // instances)),
        crowding=measured.crowding,
        with_load=load,
    )
