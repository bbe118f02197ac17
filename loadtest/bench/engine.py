"""The engine by itself: full-size random weights in batches, one at a time, and as FunASR runs them."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from actors import devices
from actors.batcher import USUAL_LIMITS, Limits
from actors.engines.base import Precision, Row
from actors.engines.sensevoice import SenseVoiceEngine, precisions
from loadtest.bench import full_size, funasr_model, speech
from loadtest.bench.rows import Found, Size

#: Segments, and rounds.
SIZES: Final = {Size.QUICK: (2, 1), Size.USUAL: (16, 2), Size.FULL: (48, 3)}

Run = Callable[[Sequence[Row]], object]


def measure(size: Size, _folder: Path) -> Found:
    """Everything in turn, in each round; FunASR in float32, as it runs by default."""
    count, rounds = SIZES[size]
    segments = speech.rows(count)
    folder, threads = full_size.kept(), devices.cores()
    loaded = funasr_model.load(folder, "cpu", threads)

    def generate(part: Sequence[Row]) -> Any:
        return loaded.generate(part[0].samples, language="auto", use_itn=True, disable_pbar=True)

    alone = [[row] for row in segments]
    values: dict[str, float] = {}
    for precision in precisions("cpu"):
        if precision == "float16":  # no CPU of today is fast at it
            continue
        engine = load(folder, "cpu", precision, threads)
        times = Times(engine.recognize, segments, USUAL_LIMITS["cpu"])
        _time_s(generate, alone[-1:])
        theirs_s = []
        for _ in range(rounds):
            times.add_round()
            theirs_s.append(_time_s(generate, alone))
        values[f"rtfx[{precision}]"] = times.rtfx()
        values[f"batching[{precision}]"] = times.batching()
        values[f"ratio[{precision}]"] = statistics.median(
            their_s / our_s for their_s, our_s in zip(theirs_s, times.batched_s, strict=True)
        )
    return Found(
        values=values,
        how=f"{count} synthetic segments of 1 to 15 s, {speech.audio_s(segments):.0f} s in all, {threads} "
        f"threads, batches of {USUAL_LIMITS['cpu'].audio_s:.0f} s, {rounds} rounds in turn, medians",
    )


def load(folder: Path, device: str, precision: Precision, threads: int) -> SenseVoiceEngine:
    """An engine that is ready."""
    engine = SenseVoiceEngine(folder, precision)
    engine.load(device, threads)
    return engine


class Times:
    """How long an engine takes for some segments, in batches and one at a time, round by round."""

    def __init__(self, recognize: Run, segments: Sequence[Row], limits: Limits) -> None:
        self.batched_s: list[float] = []
        self._alone_s: list[float] = []
        self._recognize = recognize
        self._audio_s = speech.audio_s(segments)
        self._alone = [[row] for row in segments]
        self._batches = list(speech.batches(segments, limits))
        recognize(self._batches[-1])  # so that it is warm
        recognize(self._alone[-1])

    def add_round(self) -> None:
        """Measure both once more."""
        self.batched_s.append(_time_s(self._recognize, self._batches))
        self._alone_s.append(_time_s(self._recognize, self._alone))

    def rtfx(self) -> float:
        """Seconds of audio per second, in batches."""
        return self._audio_s / statistics.median(self.batched_s)

    def batching(self) -> float:
        """How many times as fast batches are."""
        pairs = zip(self._alone_s, self.batched_s, strict=True)
        return statistics.median(alone_s / batched_s for alone_s, batched_s in pairs)


def _time_s(run: Run, parts: Sequence[Sequence[Row]]) -> float:
    began_s = time.perf_counter()
    for part in parts:
        run(part)
    return time.perf_counter() - began_s
