"""Which device an instance runs on, decided before any library that could touch a GPU is loaded."""

import os

import pynvml
from msgspec import Struct

from actors.settings import Settings


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
    os.environ["CUDA_VISIBLE_DEVICES"] = "" if device.gpu is None else str(device.gpu)
    os.environ["OMP_NUM_THREADS"] = str(device.threads)


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
