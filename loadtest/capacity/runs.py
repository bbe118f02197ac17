"""The loads that the simulation is checked against: a closed loop at saturation, and Poisson arrivals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from actors import weights
from actors.audio.segments import by_speech
from actors.audio.vad import VoiceActivityDetector
from loadtest import corpus
from loadtest.bench import services, speech
from loadtest.capacity.effort import Effort
from loadtest.capacity.measured import Recording, Run
from loadtest.versus.comparison import side
from loadtest.versus.measuring import carried_out

_MILLISECONDS: Final = 1000.0


class Setup(Struct, frozen=True):
    """What is started and sent: in which folder, with which model, so many instances, which recordings."""

    folder: Path
    model: str
    instances: int
    clips: Path


def recordings(folder: Path) -> tuple[Recording, ...]:
    """Those of a folder, as a segmenter would cut them, in the order in which the load test knows them."""
    detector = VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)
    return tuple(
        Recording(
            name=one.name,
            audio_s=one.audio_s,
            segments=tuple(
                (piece.segment.end_ms / _MILLISECONDS, piece.segment.duration_ms / _MILLISECONDS)
                for piece in by_speech([speech.read(one.path)], detector.stream())
            ),
        )
        for one in corpus.folder(folder)
    )


def measure(host: Setup, effort: Effort, saturated_per_s: float | None) -> Iterator[Run]:
    """One round of each load on a service with so many instances.

    `saturated_per_s`: requests a second of which the Poisson arrivals are shares; None: what this round's
    saturation gives.

    Raises:
        NotServed: the service cannot be started or asked.
    """
    settings = {"instances": host.instances, "request_timeout_s": 3600}
    with services.service(host.folder, host.model, **settings) as service:
        closed = Run(
            instances=host.instances,
            users=effort.saturating_users,
            requests_per_user=effort.requests,
            rtfx=(),
            p50_s=(),
            p95_s=(),
        )
        _sent(service.url, host.clips, replace(closed, requests_per_user=4))  # so that all are warm
        first, per_s = _sent(service.url, host.clips, closed)
        yield first
        for seed, share in enumerate(effort.loads, 1):
            rate_per_s = round(share * (saturated_per_s or per_s), 2)
            run = Run(
                instances=host.instances,
                rate_per_s=rate_per_s,
                duration_s=effort.duration_s,
                seed=seed,
                rtfx=(),
                p50_s=(),
                p95_s=(),
            )
            yield _sent(service.url, host.clips, run)[0]


def _sent(url: str, clips: Path, run: Run) -> tuple[Run, float]:
    """The run with what was measured, and the requests a second."""
    loop = (
        {
            "concurrent_users": run.users,
            "requests_per_user": run.requests_per_user,
            "delay_between_requests": 0,
        }
        if run.users
        else {"rate_per_s": run.rate_per_s, "duration_s": run.duration_s}
    )
    report = carried_out(
        api_url=url, test_file=clips, serial_texts=False, timeout=3600, seed=run.seed, **loop
    )
    found = side(report)
    if found.failed:
        raise ValueError(f"{found.failed} of {found.requests} requests failed")
    measured = replace(run, rtfx=(found.rtfx,), p50_s=(found.p50_s,), p95_s=(found.p95_s,))
    return measured, found.requests_per_s
