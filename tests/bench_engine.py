"""How fast the SenseVoice engine is by itself, and how exact: `just bench-engine`.

Full-size random weights (see `loadtest.bench.full_size`), segments in memory, no queue and no HTTP: batched,
one at a time, and FunASR's `AutoModel.generate()`, in one run on one device. On a GPU in each precision.
"""

import argparse
import gc
import operator
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import psutil
import torch
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from actors import devices
from actors.batcher import USUAL_LIMITS
from actors.engines.base import Row
from actors.engines.sensevoice import SenseVoiceEngine, precisions
from loadtest.bench import full_size, funasr_model, speech
from tests.sensevoice import MODEL, rooms

SAMPLE_EVERY_S = 0.01


class Measured(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    what: str
    precision: str
    wall_s: float
    audio_s: float
    peak_mb: float


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="just bench-engine", description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--segments", type=int, default=0, help="default: 48 on a CPU, 2000 on a GPU")
    parser.add_argument("--threads", type=int, default=devices.cores())
    arguments = parser.parse_args()
    device: str = arguments.device
    segments = speech.rows(arguments.segments or (48 if device == "cpu" else 2000))
    console = Console()
    console.print(
        f"{len(segments)} segments of {speech.audio_s(segments[:1]):.1f} to "
        f"{speech.audio_s(segments[-1:]):.1f} s, {speech.audio_s(segments):.0f} s in all; "
        f"{_machine(device, arguments.threads)}; torch {torch.__version__}"
    )
    table = Table("how", "precision", "RTFx", "wall s", "peak MB")
    for line in lines(segments, device, arguments.threads):
        rtfx = line.audio_s / line.wall_s
        table.add_row(line.what, line.precision, f"{rtfx:.1f}", f"{line.wall_s:.1f}", f"{line.peak_mb:.0f}")
    console.print(table)
    agreed = Table("precision", "same text and language as float32", title="spoken digits, the small model")
    for precision, share in agreement(device, arguments.threads):
        agreed.add_row(precision, f"{share:.1%}")
    console.print(agreed)


def agreement(device: str, threads: int) -> Iterator[tuple[str, float]]:
    """The share of recordings in which each precision hears what float32 does.

    On the trained small model: random weights say something else at the slightest difference.
    """
    heard: dict[str, list[tuple[str, str]]] = {}
    spoken = rooms.rows(20)
    for precision in precisions(device):
        engine = SenseVoiceEngine(MODEL, precision)
        engine.load(device, threads)
        heard[precision] = [(row.text, row.language) for row in engine.recognize(spoken)]
        same = sum(map(operator.eq, heard["float32"], heard[precision]))
        yield precision, same / len(spoken)


def lines(segments: Sequence[Row], device: str, threads: int) -> Iterator[Measured]:
    """One line after the other, each measured on weights loaded for it alone."""
    folder = full_size.kept()
    alone = [[row] for row in segments]
    for precision in precisions(device):
        engine = SenseVoiceEngine(folder, precision)
        engine.load(device, threads)
        together = list(speech.batches(segments, USUAL_LIMITS[device]))
        what = f"engine, batches of {USUAL_LIMITS[device].audio_s:.0f} s"
        yield _measure(what, precision, engine.recognize, together, device)
        yield _measure("engine, one at a time", precision, engine.recognize, alone, device)
        del engine
        gc.collect()
    loaded = funasr_model.load(folder, device, threads)

    def generate(part: Sequence[Row]) -> Any:
        return loaded.generate(part[0].samples, language="auto", use_itn=True, disable_pbar=True)

    yield _measure("AutoModel.generate()", "float32", generate, alone, device)


def _measure(
    what: str,
    precision: str,
    run: Callable[[Sequence[Row]], object],
    parts: Sequence[Sequence[Row]],
    device: str,
) -> Measured:
    run(parts[-1])
    with _Peak(device) as peak:
        started = time.perf_counter()
        for part in parts:
            run(part)
        wall_s = time.perf_counter() - started
    audio_s = sum(map(speech.audio_s, parts))
    return Measured(what=what, precision=precision, wall_s=wall_s, audio_s=audio_s, peak_mb=peak.mb)


class _Peak:
    """The most memory in use: the GPU's as torch allocates it, else the process's own."""

    def __init__(self, device: str) -> None:
        self.mb = 0.0
        self._device = device
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        else:
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._device == "cuda":
            self.mb = torch.cuda.max_memory_allocated() / 1e6
        else:
            self._ended.set()
            self._watcher.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._ended.wait(SAMPLE_EVERY_S):
            self.mb = max(self.mb, process.memory_info().rss / 1e6)


def _machine(device: str, threads: int) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"CPU, {threads} threads"


if __name__ == "__main__":
    main()
