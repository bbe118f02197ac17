"""SenseVoice's encoder and its decisions, in integers, on rows laid end to end."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from actors.engines.int8 import kernels, processor, weights
from actors.engines.int8.kernels import Floats, Memory, Norm, Outputs, Products
from actors.engines.int8.room import Room

#: Frames are filled up to a multiple: for each number of them oneDNN compiles its products anew.
_STEP: Final = 16


class _Linear(Struct, frozen=True):
    #: Int8 [inputs, outputs].
    levels: Tensor
    outputs: Outputs

    def products(self, inputs: Tensor, scales: Floats, room: Room) -> Products:
        """The sums for levels int8 [frames, inputs] of these scales; good until the next ones."""
        sums = room.take((len(inputs), self.levels.shape[1]), torch.int32)
        # torch has no public one.
        torch._int_mm(inputs, self.levels, out=sums)  # noqa: SLF001 # pyright: ignore[reportPrivateImportUsage]
        return Products(_numpy(sums), scales, self.outputs)


class _Layer(Struct, frozen=True):
    norm1: Norm
    projection: _Linear
    memory: Memory
    out: _Linear
    norm2: Norm
    widen: _Linear
    narrow: _Linear


class _Frames(Struct):
    """What is known of the frames of a batch: those of its rows, and at last those that fill it up.

    `starts`: where each row begins, where the filling does, and where that ends. `levels` and `scales`: of
    what the next layer gets. `hidden`: float32 [frames, size].
    """

    starts: NDArray[np.int64]
    levels: Tensor
    scales: Floats
    hidden: Floats


class Encoder:
    """The weights, ready for use; threads may share it, each with a room of its own."""

    def __init__(self, made: weights.Weights) -> None:
        self._layers, self._later = [_layer(one) for one in made.layers], [_layer(one) for one in made.later]
        self._norm, self._later_norm = _norm(made.norm), _norm(made.later_norm)
        self._tokens = [_linear(part) for part in made.vocabulary]
        self._heads = made.heads
        self._attended_in = torch.bfloat16 if processor.multiplies_bfloat16() else torch.float32

    @property
    def size(self) -> int:
        """Of a hidden state."""
        return len(self._norm.weight)

    def compile(self) -> None:
        """Compile the kernels, unless they are on disk already; else the first rows would wait for it."""
        features = len(self._layers[0].norm1.weight)
        self.paths([torch.zeros(1, features)], Room())

    def paths(self, rows: Sequence[Tensor], room: Room) -> list[NDArray[np.int32]]:
        """The likeliest token of each frame of each row: int32 [frames].

        `rows`: float32 [frames, features], positions and all.
        """
        frames = self._begin(rows, room)
        self._run(self._layers, self._norm, frames, room)
        hidden, norm = torch.from_numpy(frames.hidden), self._norm
        weight, bias = torch.from_numpy(norm.weight), torch.from_numpy(norm.bias)
        hidden.copy_(functional.layer_norm(hidden, weight.shape, weight, bias, float(norm.least)))
        kernels.normalize(frames.hidden, self._later[0].norm1, _numpy(frames.levels), frames.scales)
        self._run(self._later, self._later_norm, frames, room)
        return np.split(self._likeliest(frames, room), frames.starts[1:-1])[: len(rows)]

    def _begin(self, rows: Sequence[Tensor], room: Room) -> _Frames:
        filling = -sum(map(len, rows)) % _STEP
        inputs = torch.cat((*rows, rows[0].new_zeros(filling, rows[0].shape[1])))
        levels, scales = torch.empty(inputs.shape, dtype=torch.int8), np.empty(len(inputs), np.float32)
        kernels.normalize(_numpy(inputs), self._layers[0].norm1, _numpy(levels), scales)
        return _Frames(
            starts=np.cumsum([0, *map(len, rows), filling]),
            levels=levels,
            scales=scales,
            hidden=_numpy(room.take((len(inputs), self.size), torch.float32, "hidden")),
        )

    def _run(self, layers: Sequence[_Layer], norm: Norm, frames: _Frames, room: Room) -> None:
        """Layers on the hidden states, in place; what comes after them gets those under `norm`."""
        for layer, following in zip(layers, [*(one.norm1 for one in layers[1:]), norm], strict=True):
            self._attend(layer, frames, room)
            products = layer.widen.products(frames.levels, frames.scales, room)
            wide = room.take(products.sums.shape, torch.int8, "wide")
            kernels.rectify(products, _numpy(wide))
            products = layer.narrow.products(wide, frames.scales, room)
            kernels.add(products, frames.hidden, following, _numpy(frames.levels))

    def _attend(self, layer: _Layer, frames: _Frames, room: Room) -> None:
        """Self-attention plus its memory (SANM)."""
        products = layer.projection.products(frames.levels, frames.scales, room)
        projected = room.take(products.sums.shape, torch.float32, "projected")
        kernels.unfold(products, _numpy(projected))
        attended = room.take(frames.hidden.shape, torch.float32, "attended")
        for start, end in pairwise(frames.starts[:-1].tolist()):  # what fills up needs none
            self._attend_row(projected[start:end], attended[start:end])
        frames.levels = room.take(frames.hidden.shape, torch.int8, "levels")
        kernels.quantize(_numpy(attended), _numpy(frames.levels), frames.scales)
        kernels.remember(
            layer.out.products(frames.levels, frames.scales, room),
            _numpy(projected),
            layer.memory,
            frames.starts,
            frames.hidden,
            layer.norm2,
            _numpy(frames.levels),
        )

    def _attend_row(self, projected: Tensor, attended: Tensor) -> None:
        """From float32 [frames, 3 x size], the queries divided by what they must be, to [frames, size]."""
        heads = projected.view(len(projected), 3, self._heads, -1).permute(1, 2, 0, 3)
        query, key, value = heads.to(self._attended_in, memory_format=torch.contiguous_format)
        found = torch.softmax(query @ key.mT, dim=-1) @ value
        attended.view(len(attended), self._heads, -1).copy_(found.transpose(0, 1))

    def _likeliest(self, frames: _Frames, room: Room) -> NDArray[np.int32]:
        found = np.empty(len(frames.scales), np.int32)
        best, first = np.full_like(found, kernels.LOWEST), 0
        for part in self._tokens:
            products = part.products(frames.levels, frames.scales, room)
            kernels.likeliest(products, first, best, found)
            first += products.sums.shape[1]
        return found


def _layer(made: weights.Layer) -> _Layer:
    return _Layer(
        norm1=_norm(made.norm1),
        projection=_linear(made.projection),
        memory=Memory(_numpy(made.taps), made.before, made.begins),
        out=_linear(made.out),
        norm2=_norm(made.norm2),
        widen=_linear(made.widen),
        narrow=_linear(made.narrow),
    )


def _norm(made: weights.Norm) -> Norm:
    return Norm(_numpy(made.weight), _numpy(made.bias), np.float32(made.least))


def _linear(made: weights.Linear) -> _Linear:
    return _Linear(made.levels, Outputs(_numpy(made.scales), _numpy(made.bias), _numpy(made.moved)))


def _numpy(tensor: Tensor) -> Any:
    """The same memory."""
    return tensor.numpy()
