"""What the machine that the monitor runs on has to spare: processor, memory, disk, GPUs."""

from pathlib import Path
from typing import Any

import psutil
import pynvml
from msgspec import Struct

#: Its types promise texts where it has numbers.
_nvml: Any = pynvml


class Gpu(Struct, frozen=True, kw_only=True):
    """One NVIDIA GPU, whoever uses it."""

    index: int
    #: Share of the time in which it was at work; null where the driver does not say.
    utilisation: float | None
    memory_mb: int
    memory_total_mb: int


class Host(Struct, frozen=True, kw_only=True):
    """The machine at one moment; shares are of all cores, since the look before."""

    cpu: float
    #: Of one core: what watching costs.
    monitor_cpu: float
    memory_mb: int
    memory_total_mb: int
    disk_free_mb: int
    gpus: tuple[Gpu, ...]


class HostReader:
    """Looks at the machine, and at the disk that a folder lies on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = psutil.Process()
        self._gpus = _gpus()
        self.read()  # what is measured since the look before needs one

    def read(self) -> Host:
        """The machine now."""
        memory = psutil.virtual_memory()
        return Host(
            cpu=round(psutil.cpu_percent() / 100, 4),
            monitor_cpu=round(self._process.cpu_percent() / 100, 5),
            memory_mb=(memory.total - memory.available) >> 20,
            memory_total_mb=memory.total >> 20,
            disk_free_mb=psutil.disk_usage(str(self._folder)).free >> 20,
            gpus=tuple(gpu for index, handle in enumerate(self._gpus) if (gpu := _read(index, handle))),
        )


def _gpus() -> list[Any]:
    """The handles of all GPUs; NVML stays open."""
    try:
        _nvml.nvmlInit()
        return [_nvml.nvmlDeviceGetHandleByIndex(index) for index in range(_nvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []


def _read(index: int, handle: Any) -> Gpu | None:
    """One GPU; None where it is lost."""
    try:
        memory = _nvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:
        return None
    try:
        utilisation = _nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    except pynvml.NVMLError:  # not known of a part of a GPU
        utilisation = None
    return Gpu(
        index=index,
        utilisation=utilisation,
        memory_mb=memory.used >> 20,
        memory_total_mb=memory.total >> 20,
    )
