"""One long recording on all cores: how near it comes to no core ever waiting."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from msgspec import Struct

from actors import devices
from actors.settings import Settings
from deploy.client import NotServed
from loadtest.bench import full_size, services, speech
from loadtest.bench.rows import Found, Size
from loadtest.bench.services import Service

MINUTES: Final = {Size.QUICK: 0.5, Size.USUAL: 6.0, Size.FULL: 30.0}

POLL_S: Final = 0.1

_BUSY: Final = "asr_instance_busy_seconds_total"


class _Done(Struct, frozen=True):
    """What a recording took: by the clock, of all processors, and of each instance's time, 0 to 1."""

    wall_s: float
    work_s: float
    busy: Mapping[str, float]


def measure(size: Size, folder: Path) -> Found:
    """The embedded model and SenseVoice at full size, each alone on the machine.

    Work is processor time, of all processes of the service: an instance that waits for a core while another
    has it is busy by the clock, and does not work.

    Raises:
        NotServed: the service cannot be started, or does not finish the recording.
    """
    minutes = MINUTES[size]
    audio_s, cores = minutes * 60, devices.cores()
    file = speech.wav(speech.talk(audio_s))
    values: dict[str, float] = {}
    express = []
    for kind, model in (("Whisper base", "whisper-base"), ("SenseVoice", str(full_size.kept()))):
        with services.service(folder, model) as service:
            done = _done(service, file)
        reserved, others = divided(done.busy, Settings(instances=services.INSTANCES))
        express += reserved
        values |= {
            f"stretch[{kind}]": done.wall_s / (done.work_s / cores),
            f"least_busy[{kind}]": 100 * min(others),
            f"rtfx[{kind}]": audio_s / done.wall_s,
        }
    short = "" if size is Size.FULL else ", not 30 (--full)"
    return Found(
        values=values,
        how=f"a wav of {minutes:g} minutes{short}, POST /jobs until it is done, {cores} cores; work: CPU "
        f"time of all processes of the service; busy: by the clock, of the instances that take long files "
        f"(the express one: {100 * max(express, default=0):.0f} %)",
    )


def divided(busy: Mapping[str, float], settings: Settings) -> tuple[list[float], list[float]]:
    """How busy the express instances were, and the others; who never worked is not in `busy`."""
    shares = [busy.get(f"instance-{number}", 0.0) for number in range(1, settings.instances + 1)]
    return shares[: settings.express], shares[settings.express :]


def _done(service: Service, file: bytes) -> _Done:
    with service.client() as http:
        _finish(http, speech.wav(speech.talk(10)))  # so that it is warm
        processes = service.processes()
        busy_s, work_s, began_s = _busy_s(http), _work_s(processes), time.perf_counter()
        _finish(http, file)
        wall_s = time.perf_counter() - began_s
        work_s = _work_s(processes) - work_s
        time.sleep(1.5)  # each instance says once a second what it has done
        busy = {name: (now_s - busy_s.get(name, 0)) / wall_s for name, now_s in _busy_s(http).items()}
    return _Done(wall_s, work_s, busy)


def _finish(http: httpx.Client, file: bytes) -> None:
    answer = http.post("/jobs", files={"file": ("talk.wav", file)}).raise_for_status()
    path = f"/jobs/{answer.json()['id']}"
    while (job := _job(http, path))["state"] in {"queued", "running"}:
        time.sleep(POLL_S)
    if job["state"] != "done":
        raise NotServed(f"The recording ended as {job['state']}: {job.get('error')}")


def _job(http: httpx.Client, path: str) -> dict[str, Any]:
    job: dict[str, Any] = http.get(path).raise_for_status().json()
    return job


def _work_s(processes: list[psutil.Process]) -> float:
    """Processor time since each began."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def _busy_s(http: httpx.Client) -> dict[str, float]:
    """Instance → how long its engine has been at work."""
    return {labels[0]: value for labels, value in services.metrics(http).series.get(_BUSY, {}).items()}
