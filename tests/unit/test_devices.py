"""What a process knows of its device."""

import os
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from actors import devices
from actors.devices import Device

GPU = Device("cuda", 1, threads=1)


@pytest.mark.parametrize(
    ("listed", "used_mb"),
    [
        ({os.getpid(): 1450 << 20, 1: 7 << 20}, 1450),
        ({1: 7 << 20}, None),
        ({os.getpid(): None}, None),
        ({}, None),
    ],
)
def test_memory_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch, listed: dict[int, int | None], used_mb: int | None
) -> None:
    """What the driver says of this process on its GPU, unknown where it says nothing."""
    processes = [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in listed.items()]
    monkeypatch.setattr(devices, "_handle", lambda gpu: gpu)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", {1: processes}.get)

    assert devices.memory_mb(GPU) == used_mb


def test_memory_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that fails leaves the memory unknown, and the heartbeat beating."""

    def fail() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)

    assert devices.memory_mb(GPU) is None


def test_memory_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is not asked."""
    monkeypatch.delattr(pynvml, "nvmlInit")

    assert devices.memory_mb(Device("cpu", None, threads=2)) is None


def test_a_gpu_is_pinned_by_the_drivers_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA would number the fastest first; whoever has no GPU sees none."""
    env: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", env)

    devices.pin(GPU)
    assert (env["CUDA_DEVICE_ORDER"], env["CUDA_VISIBLE_DEVICES"]) == ("PCI_BUS_ID", "1")

    devices.pin(Device("cpu", None, threads=1))
    assert env["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("200000 100000", 2),
        ("150000 100000", 1),
        ("50000 100000", 1),
        ("max 100000", 8),
        ("9900000 100000", 8),
    ],
)
def test_cores_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, cores: int
) -> None:
    """As many threads as its limit has whole cores: more would only be stopped in turn."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(devices, "CPU_LIMIT", tmp_path / "cpu.max")
    assert devices.cores() == 8
    devices.CPU_LIMIT.write_text(f"{limit}\n", encoding="ascii")

    assert devices.cores() == cores
