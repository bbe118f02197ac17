"""How long an engine takes for batches, while it has a core, or all of them."""

import multiprocessing
import time
from collections.abc import Sequence
from threading import Barrier
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from actors.engines.base import Row
from loadtest.bench import speech
from loadtest.capacity.measured import EngineTimes
from loadtest.capacity.simulation.hosts import CPU_LIMITS

#: Batches are of so many rows at most, those of a small one among them: what a batch costs shows there.
ROWS: Final = (1, 2, 4, 8)

_BATCHES: Final = 48

#: What an engine that does nothing takes.
_SHORTEST_S: Final = 1e-6


class Batch(Struct, frozen=True):
    """A batch that was recognised."""

    rows: int
    audio_s: float
    took_s: float


def measure(model: str, cores: int, for_s: float) -> tuple[EngineTimes, ...]:
    """An engine for each core at the same time, and one with all of them, for so long each."""
    return tuple(
        fit(threads, _measured(model, cores // threads, threads, for_s)) for threads in sorted({1, cores})
    )


def fit(threads: int, batches: Sequence[Batch]) -> EngineTimes:
    """Least squares of the relative error: a batch of a second counts as much as one of twenty."""
    took_s = np.array([max(one.took_s, _SHORTEST_S) for one in batches])
    counted = np.array([[1.0, one.rows, one.audio_s] for one in batches])
    per_batch_s, per_row_s, per_audio_s = _non_negative(counted / took_s[:, None], np.ones(len(batches)))
    return EngineTimes(threads=threads, per_batch_s=per_batch_s, per_row_s=per_row_s, per_audio_s=per_audio_s)


def _non_negative(counted: NDArray[np.float64], one: NDArray[np.float64]) -> list[float]:
    """The best coefficients of which none is below 0: what would be so is left out."""
    kept = list(range(counted.shape[1]))
    while True:
        found = np.linalg.lstsq(counted[:, kept], one)[0]
        if (found >= 0).all():
            return [float(found[kept.index(at)]) if at in kept else 0.0 for at in range(counted.shape[1])]
        kept.remove(kept[int(found.argmin())])


def _measured(model: str, processes: int, threads: int, for_s: float) -> list[Batch]:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, spawn.Pool(processes) as pool:
        together = manager.Barrier(processes)
        work = [(model, threads, for_s, seed, together) for seed in range(processes)]
        return [batch for each in pool.starmap(_work, work, chunksize=1) for batch in each]


def _work(model: str, threads: int, for_s: float, seed: int, together: Barrier) -> list[Batch]:
    """Every process for as long, so that none has the cores to itself at last."""
    from actors.engines.catalog import create

    engine = create(model)
    engine.load("cpu", threads)
    batches = _batches(seed)
    for batch in batches:  # each length is compiled for once
        engine.recognize(batch)
    # By the clock other programs would count; but several threads also wait for each other, which costs no
    # processor time.
    clock_s = time.process_time if threads == 1 else time.perf_counter
    together.wait()
    found, began_s = list[Batch](), time.perf_counter()
    while time.perf_counter() - began_s < for_s:
        for batch in batches:
            at_s = clock_s()
            engine.recognize(batch)
            found.append(Batch(len(batch), speech.audio_s(batch), clock_s() - at_s))
    return found


def _batches(seed: int) -> list[list[Row]]:
    """Of synthetic segments, as an instance's limits allow them."""
    rng = np.random.default_rng(seed)
    segments = speech.rows(64)
    batches = list[list[Row]]()
    for number in range(_BATCHES):
        batch = list[Row]()
        for at in rng.permutation(len(segments))[: ROWS[number % len(ROWS)]]:
            if not batch or speech.audio_s([*batch, segments[at]]) <= CPU_LIMITS.audio_s:
                batch.append(segments[at])
        batches.append(sorted(batch, key=lambda row: len(row.samples)))
    return batches
