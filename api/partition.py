"""The cheapest way to divide a row of things into runs."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise


def cheapest(
    count: int, ends: Callable[[int], Iterable[int]], cost: Callable[[int, int], float]
) -> list[tuple[int, int]]:
    """The runs, each `(start, end)`, into which `count` things are divided at the least total cost.

    `ends(start)` are the ends that a run from there may have, `start + 1` among them.
    """
    totals = [0.0] + [math.inf] * count
    starts = [0] * (count + 1)
    for start in range(count):
        for end in ends(start):
            total = totals[start] + cost(start, end)
            if total < totals[end]:
                totals[end], starts[end] = total, start
    edges = [count]
    while edges[-1]:
        edges.append(starts[edges[-1]])
    return list(pairwise(reversed(edges)))
