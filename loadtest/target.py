"""What is measured, and the machine that the load comes from."""

import contextlib
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pynvml

from deploy.client import NotServed
from deploy.paths import HOME
from loadtest.records import Hardware, Service
from loadtest.watch import client
from monitoring.health import Health, HealthReport

#: Its types promise texts where it has numbers.
_nvml: Any = pynvml


def meet(url: str, headers: Mapping[str, str]) -> Service:
    """The service at a URL, or some other server of which nothing is known.

    Raises:
        NotServed: nothing answers there, or no instance is ready.
    """
    try:
        http = client(url, headers)
    except (httpx.InvalidURL, ValueError) as error:
        raise NotServed(f"{url} cannot be asked, its address or the key is at fault: {error}") from error
    with http:
        try:
            answer = http.get("/health")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotServed(f"Nothing answers at {url} ({error}): is it started?") from error
        try:
            report = msgspec.json.decode(answer.content, type=HealthReport)
        except msgspec.DecodeError:
            return Service(url=url)
        if report.status is Health.UNHEALTHY:
            raise NotServed(f"{url} answers, but no instance or no segmenter is ready: see ./justw status.")
        return Service(
            url=url,
            model=report.model.model if report.model else None,
            instances=report.total_instances,
            devices=tuple(one.device for one in report.health_details if one.device),
            version=_version(http),
        )


def hardware() -> Hardware:
    """The machine that this runs on."""
    return Hardware(
        cpu=_cpu(),
        cores=psutil.cpu_count() or 1,
        memory_mb=psutil.virtual_memory().total >> 20,
        gpus=_gpus(),
    )


def commit() -> str:
    """The commit of this checkout, with `-dirty` where files differ from it; empty outside a repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _version(http: httpx.Client) -> str | None:
    try:
        version: str = http.get("/docs/openapi.json").json()["info"]["version"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return version


def _cpu() -> str:
    """Its name, as Linux has it; elsewhere its architecture."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _gpus() -> tuple[str, ...]:
    try:
        _nvml.nvmlInit()
        handles = map(_nvml.nvmlDeviceGetHandleByIndex, range(_nvml.nvmlDeviceGetCount()))
        return tuple(str(_nvml.nvmlDeviceGetName(handle)) for handle in handles)
    except pynvml.NVMLError:
        return ()
