"""The engine by itself: full-size random weights in batches, one at a time, and as FunASR runs them."""

from pathlib import Path
from typing import Final

from actors import devices
from actors.batcher import usual_limits
from actors.engines.base import Precision
from actors.engines.sensevoice import SenseVoiceEngine, precisions
from loadtest.bench import full_size, funasr_model, speech
from loadtest.bench.rows import Found, Size
from loadtest.bench.ways import Way, one_by_one

#: Segments, and rounds.
SIZES: Final = {Size.QUICK: (2, 1), Size.USUAL: (16, 2), Size.FULL: (48, 3)}

#: No CPU of today is fast at it.
_LEFT_OUT: Final = "float16"


def measure(size: Size, _folder: Path) -> Found:
    """Everything in turn, in each round; FunASR in float32, as it runs by default."""
    count, rounds = SIZES[size]
    segments = speech.rows(count)
    folder, threads = full_size.kept(), devices.cores()
    engines = {
        precision: load(folder, "cpu", precision, threads)
        for precision in precisions("cpu")
        if precision != _LEFT_OUT
    }
    alone = one_by_one(segments)
    together = {
        precision: Way(engine.recognize, list(speech.batches(segments, usual_limits("cpu", engine))))
        for precision, engine in engines.items()
    }
    apart = {precision: Way(engine.recognize, alone) for precision, engine in engines.items()}
    theirs = Way(funasr_model.generating(folder, "cpu", threads), alone)
    for _ in range(rounds):
        for way in (*together.values(), *apart.values(), theirs):
            way.add_round()
    values: dict[str, float] = {}
    for precision, way in together.items():
        values |= {
            f"rtfx[{precision}]": way.rtfx,
            f"batching[{precision}]": way.against(apart[precision]),
            f"ratio[{precision}]": way.against(theirs),
        }
    return Found(
        values=values,
        how=f"{count} synthetic segments of 1 to 15 s, {speech.audio_s(segments):.0f} s in all, {threads} "
        f"threads, in batches as an instance's, {rounds} rounds in turn, medians",
    )


def load(folder: Path, device: str, precision: Precision, threads: int) -> SenseVoiceEngine:
    """An engine that is ready."""
    engine = SenseVoiceEngine(folder, precision)
    engine.load(device, threads)
    return engine
