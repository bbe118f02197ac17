"""What the weights take when five instances have them, and how soon the first text is there."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
from msgspec import Struct

from actors.engines.sensevoice import precisions
from actors.engines.sensevoice_folder import WEIGHTS
from deploy.client import NotServed
from loadtest.bench import full_size, services, speech
from loadtest.bench.rows import Found, Size
from loadtest.bench.services import Service
from loadtest.versus.servers import SMALL_MODEL

CLIP_S: Final = 2

#: Rounds of as many requests at once as there are instances, until each has recognised something.
MOST_ROUNDS: Final = 20


class _Held(Struct, frozen=True):
    """Memory of the instances in bytes."""

    #: Of all, pages that several have divided among them.
    together: float
    first_text_s: float


def measure(_size: Size, folder: Path) -> Found:
    """The difference that full-size weights make beside small ones.

    Everything that both services have, the libraries above all, cancels; what a batch needs beyond
    the weights does not, and counts as weights, for each instance.

    Raises:
        NotServed: the service cannot be started.
    """
    file = speech.wav(speech.talk(CLIP_S))
    with services.service(folder, str(full_size.kept())) as service:
        full = _held(service, file)
    with services.service(folder, str(SMALL_MODEL)) as service:
        small = _held(service, file)
    together = full.together - small.together
    float32, held = one_copy(full_size.kept() / WEIGHTS)
    return Found(
        values={
            "ratio": together / float32,
            "held_ratio": together / held,
            "five_mb": together / 1e6,
            "first_text": full.first_text_s,
        },
        how=f"{services.INSTANCES} instances of SenseVoice at full size less {services.INSTANCES} of the "
        "small one, once each has recognised: sum of their proportional set sizes; one copy: "
        f"{float32 / 1e6:,.0f} MB in float32, as held {held / 1e6:,.0f} MB, at a byte for each weight of a "
        "matrix where they are in 8-bit integers; start and first text with the weights in the page cache",
    )


def one_copy(file: Path) -> tuple[int, int]:
    """Bytes of the weights in float32, and as an instance on this machine's CPU holds them.

    In 8-bit integers these are the matrices; biases, norms and convolutions stay in float32.
    """
    import torch

    weights = torch.load(file, weights_only=True, mmap=True).values()
    matrices = sum(one.numel() for one in weights if one.dim() == 2)
    float32 = 4 * sum(one.numel() for one in weights)
    return float32, float32 - 3 * matrices if precisions("cpu")[0] == "int8" else float32


def _held(service: Service, file: bytes) -> _Held:
    began_s = time.perf_counter()
    with service.client() as http:
        _ask(http, file)
        first_text_s = service.start_s + time.perf_counter() - began_s
        _warm_all(http, file)
    found = [process.memory_full_info() for process in service.instances()]
    return _Held(
        together=sum(one.pss for one in found),
        first_text_s=first_text_s,
    )


def _warm_all(http: httpx.Client, file: bytes) -> None:
    """Until each instance has recognised something: pages that nobody has read are not in memory."""
    with ThreadPoolExecutor(2 * services.INSTANCES) as pool:
        for _ in range(MOST_ROUNDS):
            list(pool.map(lambda _: _ask(http, file), range(2 * services.INSTANCES)))
            busy = services.metrics(http).series.get("asr_instance_busy_seconds_total", {})
            if sum(busy_s > 0 for busy_s in busy.values()) >= services.INSTANCES:
                return
    raise NotServed("An instance never got anything to recognise.")


def _ask(http: httpx.Client, file: bytes) -> None:
    http.post("/asr", files={"file": ("talk.wav", file)}).raise_for_status()
