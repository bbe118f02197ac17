"""Which device an instance runs on, decided before any library that could touch a GPU is loaded."""

import functools
import os
import socket
from pathlib import Path
from typing import Any

import pynvml
from msgspec import Struct

from actors.settings import STATE_DIR, Settings

#: The limit of a container's control group, as the container sees it: microseconds, of so many, or `max`.
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")


class Device(Struct, frozen=True):
    """The device of one instance."""

    #: `cpu` or `cuda`: inside its process an instance sees one GPU at most.
    kind: str
    #: The GPU's number on this machine.
    gpu: int | None
    #: CPU threads the engine may use.
    threads: int

    def __str__(self) -> str:
        """As it is shown to people, `cuda:1` or `cpu`."""
        return self.kind if self.gpu is None else f"{self.kind}:{self.gpu}"


def assign(settings: Settings, number: int) -> Device:
    """The device of instance `number` (from 1): GPUs in turn, or a share of the cores."""
    gpus = _gpus(settings.devices)
    if gpus:
        return Device("cuda", gpus[(number - 1) % len(gpus)], threads=1)
    return Device("cpu", None, threads=max(1, cores() // settings.instances))


def pin(device: Device) -> None:
    """Make this process see its device only; takes effect on libraries loaded later."""
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # NVML's numbers; CUDA's own count the fastest first
    os.environ["CUDA_VISIBLE_DEVICES"] = "" if device.gpu is None else str(device.gpu)
    os.environ["OMP_NUM_THREADS"] = str(device.threads)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(STATE_DIR / "numba"))  # the code may be read-only


def memory_mb(device: Device) -> int | None:
    """GPU memory of this process; None on a CPU, and where the driver does not list the process.

    It does not in most containers, whose process numbers are their own.
    """
    if device.gpu is None:
        return None
    try:
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(_handle(device.gpu))
    except pynvml.NVMLError:
        return None
    used_bytes = {process.pid: process.usedGpuMemory for process in processes}.get(os.getpid())
    return None if used_bytes is None else used_bytes >> 20


@functools.cache
def _handle(gpu: int) -> Any:
    # NVML stays open: the heartbeat asks every two seconds.
    pynvml.nvmlInit()
    return pynvml.nvmlDeviceGetHandleByIndex(gpu)


def own_cores() -> str:
    """What all processes call the cores that they may use, if these are the same; containers or not."""
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{machine}.{sum(1 << core for core in os.sched_getaffinity(0)):x}"
    except (OSError, AttributeError):  # not Linux
        return socket.gethostname()


def cores() -> int:
    """The cores this process may use: those it is bound to, or what a container's limit is worth."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(bound, _limit() or bound)


def _limit() -> int | None:
    """The whole cores of the time that this container may have, one at least; None without a limit."""
    try:
        quota, period = CPU_LIMIT.read_text(encoding="ascii").split()
    except (OSError, ValueError):  # not Linux, not in a container, control groups of old
        return None
    return None if quota == "max" else max(1, int(quota) // int(period))


def _gpus(setting: str) -> list[int]:
    if setting == "cpu":
        return []
    if setting != "auto":
        return [int(number) for number in setting.split(",")]
    return visible_gpus()


def visible_gpus() -> list[int]:
    """The numbers of the NVIDIA GPUs of this machine."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return list(range(pynvml.nvmlDeviceGetCount()))
    finally:
        pynvml.nvmlShutdown()
