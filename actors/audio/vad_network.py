"""The VAD's network, an FSMN: features to the probability of silence, 10 ms by 10 ms.

A feedforward sequential memory network (https://arxiv.org/abs/1803.05030) is a feed-forward one with a
short causal filter over time in every layer. As FunASR's `FSMN`, without its modules.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import conv1d, linear

from actors.audio.vad_features import FEATURES

_LAYERS = 4
_HIDDEN = 250
#: Values per frame that the filter over time sees, and how many frames, the present one included.
_FILTERED = 128
_TAPS = 20
#: Size of the bottleneck after the input and before the output.
_NARROW = 140
#: What the network tells apart: silence, and phones.
_CLASSES = 248
_SILENCE = 0

#: The last 19 frames that each layer's filter saw: float32 [128, 19] each. Changed by every call.
Memory = list[Tensor]


class VadNetwork:
    """The weights; any number of streams in any threads share them."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """`weights`: as `read_weights` gives them."""
        self._input = [_affine(weights, f"in_linear{number}") for number in (1, 2)]
        self._layers = [_layer(weights, number) for number in range(_LAYERS)]
        self._output = _composed(_affine(weights, "out_linear1"), _affine(weights, "out_linear2"))

    def memory(self) -> Memory:
        """What a recording begins with: silence before it."""
        return [torch.zeros(_FILTERED, _TAPS - 1) for _ in self._layers]

    def __call__(self, features: Tensor, memory: Memory) -> Tensor:
        """P(silence) of each frame, float32 [frames], from features float32 [frames, 400], one at least."""
        hidden = features
        for weight, bias in self._input:
            hidden = linear(hidden, weight, bias)
        hidden.relu_()
        for index, (project, taps, weight, bias) in enumerate(self._layers):
            seen = torch.empty(_FILTERED, _TAPS - 1 + len(hidden))
            seen[:, : _TAPS - 1] = memory[index]
            # Time runs along the rows from here to the filter's end: this product transposes on the way.
            torch.mm(project, hidden.t(), out=seen[:, _TAPS - 1 :])
            memory[index] = seen[:, 1 - _TAPS :].clone()
            filtered = conv1d(seen[None], taps, groups=_FILTERED)[0]
            hidden = linear(filtered.t(), weight, bias).relu_()
        return linear(hidden, *self._output).softmax(1)[:, _SILENCE]


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights of FunASR's `FsmnVADStreaming` by name; a file that would run code is refused.

    Raises:
        ValueError: a weight is missing, has another shape or is no number; torch raises others when the file
            is damaged.
    """
    found = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, dict):
        raise TypeError(f"{path.name} holds no weights by name")
    weights = {}
    for name, shape in _shapes().items():
        weight = found.get(f"encoder.{name}")
        if not isinstance(weight, Tensor) or weight.shape != shape or not weight.isfinite().all():
            raise ValueError(f"{path.name} has no encoder.{name} of {' x '.join(map(str, shape))} numbers")
        weights[name] = weight.float()
    return weights


def _shapes() -> dict[str, tuple[int, ...]]:
    """Every weight by its name behind `encoder.`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, inputs, outputs in (
        ("in_linear1", FEATURES, _NARROW),
        ("in_linear2", _NARROW, _HIDDEN),
        *((f"fsmn.{number}.affine", _FILTERED, _HIDDEN) for number in range(_LAYERS)),
        ("out_linear1", _HIDDEN, _NARROW),
        ("out_linear2", _NARROW, _CLASSES),
    ):
        shapes[f"{name}.linear.weight"] = (outputs, inputs)
        shapes[f"{name}.linear.bias"] = (outputs,)
    for number in range(_LAYERS):
        shapes[f"fsmn.{number}.linear.linear.weight"] = (_FILTERED, _HIDDEN)
        shapes[f"fsmn.{number}.fsmn_block.conv_left.weight"] = (_FILTERED, 1, _TAPS, 1)
    return shapes


def _affine(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """Weight [outputs, inputs] and bias [outputs]."""
    return weights[f"{name}.linear.weight"], weights[f"{name}.linear.bias"]


def _composed(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """One affine map for two: fewer multiplications, as the bottleneck between them is not that narrow."""
    (weight1, bias1), (weight2, bias2) = [[part.double() for part in affine] for affine in (first, second)]
    return (weight2 @ weight1).float(), (weight2 @ bias1 + bias2).float()


def _layer(weights: Mapping[str, Tensor], number: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Projection [128, 250], filter taps [128, 1, 20], and weight [250, 128] and bias [250] back."""
    taps = weights[f"fsmn.{number}.fsmn_block.conv_left.weight"][..., 0].clone()
    # The filter's input is added to its output: one more on the tap of the present frame.
    taps[..., -1] += 1
    return weights[f"fsmn.{number}.linear.linear.weight"], taps, *_affine(weights, f"fsmn.{number}.affine")
