"""Random company for rows: batches as no two of them are alike."""

from collections.abc import Iterator, Sequence

import numpy as np

from actors.engines.base import Row

LARGEST_BATCH = 12


def batches(rows: Sequence[Row], seed: int) -> Iterator[list[Row]]:
    """Random company: rows of any length, 1 to `LARGEST_BATCH` of them."""
    rng = np.random.default_rng(seed)
    start = 0
    while start < len(rows):
        end = start + int(rng.integers(1, LARGEST_BATCH + 1))
        yield list(rows[start:end])
        start = end
