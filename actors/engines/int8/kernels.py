"""What stands between two products of integers, each in one pass over a frame that stays in the cache.

Compiled by Numba at the first call, and kept on disk. A frame's numbers become levels, -127 to 127 times a
scale of its own; those that are never negative 0 to 255, moved by `SHIFT` to fit.

Peaks are sought among the bits of the numbers, which have the order of their magnitudes: compilers compare
many integers at a time, but floats one by one.
"""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

#: Less than the bits of any number.
LOWEST: Final = -0x80000000

#: What stands for zero among the levels of numbers that are never negative.
SHIFT: Final = 128

Floats = NDArray[np.float32]
Sums = NDArray[np.int32]
Levels = NDArray[np.int8]

_MAGNITUDE = np.int32(0x7FFFFFFF)
#: The bits of 1e-12: a frame of zeros has a scale, too.
_LEAST = np.int32(np.float32(1e-12).view(np.int32))
_LOWEST = np.int32(LOWEST)
_ZERO, _SIGN_BIT = np.int32(0), np.int32(31)
_SHIFT = np.int32(SHIFT)
_SIGNED, _POSITIVE = np.float32(127), np.float32(255)
#: Conversion to an integer cuts off; with these it rounds.
_ROUND_SIGNED, _ROUND_POSITIVE = np.float32(128.5), np.float32(0.5)

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Outputs(NamedTuple):
    """What turns the sums of a layer into its outputs.

    `scales` and `bias`: float32 [outputs]; `moved`: int32 [outputs], to be added to the sums where the
    inputs were moved by `SHIFT`.
    """

    scales: Floats
    bias: Floats
    moved: Sums


class Products(NamedTuple):
    """What a layer makes of its inputs' levels.

    `sums`: int32 [frames, outputs], each worth `scales[frame] * layer.scales[output]`. `scales`: of the
    inputs, float32 [frames]; where a kernel gives levels, they become the scales of those.
    """

    sums: Sums
    scales: Floats
    layer: Outputs


class Norm(NamedTuple):
    """Of a layer norm: float32 [size] each, and what keeps it from dividing by zero."""

    weight: Floats
    bias: Floats
    least: np.float32


class Memory(NamedTuple):
    """Attention's memory, a filter over time for each of its values.

    `taps`: float32 [taps, size], of which `before` see frames before the present one. `begins`: it is that
    of the first layer, which has another size and so nothing to be added to.
    """

    taps: Floats
    before: int
    begins: bool


def _compiled(function: _Function) -> _Function:
    """Sums may be taken in any order; the GIL is not held."""
    compiler = numba.njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
    return cast("_Function", compiler(function))


@_compiled
def _peak(numbers: Floats, cell: Floats) -> Any:
    """The greatest magnitude, 1e-12 at least; `cell` is room for one number."""
    bits, most = numbers.view(np.int32), _LEAST
    for index in range(len(bits)):
        most = max(most, bits[index] & _MAGNITUDE)
    cell.view(np.int32)[0] = most
    return cell[0]


@_compiled
def _round(numbers: Floats, factor: Any, rounding: Any, levels: Levels) -> None:
    for index in range(len(numbers)):
        levels[index] = np.int8(np.int32(numbers[index] * factor + rounding) - _SHIFT)


@_compiled
def _normalized(frame: Floats, norm: Norm, room: Floats, cell: Floats, levels: Levels) -> Any:
    """The levels of a frame's layer norm, and their scale."""
    size = len(frame)
    total = np.float32(0)
    for index in range(size):
        total += frame[index]
    mean = total / np.float32(size)
    squares = np.float32(0)
    for index in range(size):
        squares += (frame[index] - mean) * (frame[index] - mean)
    factor = np.float32(1) / np.float32(math.sqrt(squares / np.float32(size) + norm.least))
    for index in range(size):
        room[index] = (frame[index] - mean) * factor * norm.weight[index] + norm.bias[index]
    peak = _peak(room, cell)
    _round(room, _SIGNED / peak, _ROUND_SIGNED, levels)
    return peak / _SIGNED


@_compiled
def quantize(frames: Floats, levels: Levels, scales: Floats) -> None:
    """Float32 [frames, size] to levels and their scales."""
    cell = np.empty(1, np.float32)
    for frame in range(len(frames)):
        peak = _peak(frames[frame], cell)
        _round(frames[frame], _SIGNED / peak, _ROUND_SIGNED, levels[frame])
        scales[frame] = peak / _SIGNED


@_compiled
def normalize(frames: Floats, norm: Norm, levels: Levels, scales: Floats) -> None:
    """Layer norm and `quantize`."""
    room, cell = np.empty(frames.shape[1], np.float32), np.empty(1, np.float32)
    for frame in range(len(frames)):
        scales[frame] = _normalized(frames[frame], norm, room, cell, levels[frame])


@_compiled
def unfold(products: Products, found: Floats) -> None:
    """A layer's outputs, float32 [frames, outputs]."""
    sums, scales, layer = products
    for frame in range(len(sums)):
        scale = scales[frame]
        for index in range(sums.shape[1]):
            found[frame, index] = sums[frame, index] * (scale * layer.scales[index]) + layer.bias[index]


@_compiled
def rectify(products: Products, levels: Levels) -> None:
    """A layer's outputs through a ReLU, as levels that are never negative."""
    sums, scales, layer = products
    size = sums.shape[1]
    room, cell = np.empty(size, np.float32), np.empty(1, np.float32)
    bits = room.view(np.int32)
    for frame in range(len(sums)):
        scale = scales[frame]
        for index in range(size):
            room[index] = sums[frame, index] * (scale * layer.scales[index]) + layer.bias[index]
        for index in range(size):
            bits[index] = max(_ZERO, bits[index])
        peak = _peak(room, cell)
        _round(room, _POSITIVE / peak, _ROUND_POSITIVE, levels[frame])
        scales[frame] = peak / _POSITIVE


@_compiled
def add(products: Products, hidden: Floats, norm: Norm, levels: Levels) -> None:
    """Add the outputs to `hidden`, of inputs that were never negative; the levels are those of its norm."""
    sums, scales, layer = products
    size = hidden.shape[1]
    room, cell = np.empty(size, np.float32), np.empty(1, np.float32)
    for frame in range(len(hidden)):
        scale, numbers = scales[frame], hidden[frame]
        for index in range(size):
            moved = sums[frame, index] + layer.moved[index]
            numbers[index] += moved * (scale * layer.scales[index]) + layer.bias[index]
        scales[frame] = _normalized(numbers, norm, room, cell, levels[frame])


@_compiled
def remember(  # noqa: PLR0913, PLR0917 - all that one pass needs
    products: Products,
    projected: Floats,
    memory: Memory,
    starts: NDArray[np.int64],
    hidden: Floats,
    norm: Norm,
    levels: Levels,
) -> None:
    """Add attention's outputs and its memory to `hidden`; the levels are those of its norm.

    The memory sees the values in the last third of `projected`, and nothing beyond the row: `starts` says
    where each begins, and where the last ends.
    """
    sums, scales, layer = products
    size = hidden.shape[1]
    room, cell = np.empty(size, np.float32), np.empty(1, np.float32)
    values = 2 * size
    for row in range(len(starts) - 1):
        first, end = starts[row], starts[row + 1]
        for frame in range(first, end):
            scale, numbers, earliest = scales[frame], hidden[frame], frame - memory.before
            for index in range(size):
                room[index] = sums[frame, index] * (scale * layer.scales[index]) + layer.bias[index]
            for tap in range(max(0, first - earliest), min(len(memory.taps), end - earliest)):
                factors = memory.taps[tap]
                for index in range(size):
                    room[index] += projected[earliest + tap, values + index] * factors[index]
            if memory.begins:
                numbers[:] = room
            else:
                for index in range(size):
                    numbers[index] += room[index]
            scales[frame] = _normalized(numbers, norm, room, cell, levels[frame])


@_compiled
def likeliest(products: Products, first: int, best: Sums, found: Sums) -> None:
    """Put outputs that exceed the `best` of other parts in its place, and their numbers into `found`.

    `best` has floats as integers of the same order, and begins with `LOWEST`; `first` is the number of this
    part's first output.
    """
    sums, scales, layer = products
    size = sums.shape[1]
    room = np.empty(size, np.float32)
    bits = room.view(np.int32)
    for frame in range(len(sums)):
        scale = scales[frame]
        for index in range(size):
            room[index] = sums[frame, index] * (scale * layer.scales[index]) + layer.bias[index]
        most = _LOWEST
        for index in range(size):
            bits[index] ^= (bits[index] >> _SIGN_BIT) & _MAGNITUDE  # of negative ones the order is reversed
            most = max(most, bits[index])
        if most > best[frame]:
            best[frame] = most
            found[frame] = first + np.argmax(bits == most)
