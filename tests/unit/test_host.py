"""The machine's figures, and those of GPUs that say all, little or nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from monitoring import host
from monitoring.host import Gpu, HostReader


class Nvml:
    """A driver with three GPUs: one that says all, a part of one, and one that is lost."""

    def __getattr__(self, name: str) -> Any:
        return {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: 3,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetMemoryInfo": self._memory,
            "nvmlDeviceGetUtilizationRates": self._utilisation,
        }[name]

    def _memory(self, handle: int) -> Any:
        if handle == 2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return SimpleNamespace(used=3 << 20, total=8 << 20)

    def _utilisation(self, handle: int) -> Any:
        if handle == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=50)


def test_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is not known is null, and a GPU that is lost is left out."""
    monkeypatch.setattr(host, "_nvml", Nvml())

    assert HostReader(tmp_path).read().gpus == (
        Gpu(index=0, utilisation=0.5, memory_mb=3, memory_total_mb=8),
        Gpu(index=1, utilisation=None, memory_mb=3, memory_total_mb=8),
    )


def test_the_machine(tmp_path: Path) -> None:
    """Shares are shares, and there is some room."""
    seen = HostReader(tmp_path).read()

    assert 0 <= seen.cpu <= 1
    assert 0 < seen.memory_mb < seen.memory_total_mb
    assert seen.disk_free_mb > 0
