"""The VAD's network, an FSMN: features to the probability of silence, 10 ms by 10 ms.

A feedforward sequential memory network (https://arxiv.org/abs/1803.05030) is a feed-forward one with a
short causal filter over time in every layer. As FunASR's `FSMN`, without its modules.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from actors.audio.affine import Affine, whole_rows
from actors.audio.vad_weights import FILTERED, LAYERS, TAPS

_SILENCE = 0

#: The last 19 frames that each layer's filter saw: float32 [19, 128] each. Changed by every call.
Memory = list[Tensor]


class VadNetwork:
    """The weights; any number of streams in any threads share them."""

    def __init__(self, weights: Mapping[str, Tensor], cmvn: Tensor) -> None:
        """`weights` and `cmvn`: as `read_weights` and `read_cmvn` give them."""
        self._input = Affine(*_normalising(_named(weights, "in_linear1"), cmvn))
        self._widening = Affine(*_named(weights, "in_linear2"))
        self._layers = [_layer(weights, number) for number in range(LAYERS)]
        self._output = Affine(*_composed(_named(weights, "out_linear1"), _named(weights, "out_linear2")))

    def memory(self) -> Memory:
        """What a recording begins with: silence before it."""
        return [torch.zeros(TAPS - 1, FILTERED) for _ in self._layers]

    def __call__(self, features: Tensor, memory: Memory) -> Tensor:
        """P(silence) of each frame, float32 [frames], from features float32 [frames, 400], one at least."""
        count = len(features)
        # What is appended changes nothing before it, as the filters only look back.
        frames = self._input(whole_rows(features))
        frames = self._widening(frames, relu=True)
        for index, (project, taps, expand) in enumerate(self._layers):
            frames = torch.cat((memory[index], project(frames)))
            memory[index] = frames[count : count + TAPS - 1].clone()
            frames = expand(_filtered(frames, taps), relu=True)
        frames = self._output(frames)
        return frames[:count].softmax(1)[:, _SILENCE]


def _filtered(frames: Tensor, taps: Tensor) -> Tensor:
    """[frames, 128] from [19 + frames, 128]."""
    # A picture of one line with its channels last is what oneDNN filters fastest, twice as fast as `conv1d`.
    picture = frames[None, None].permute(0, 3, 1, 2)
    return conv2d(picture, taps, groups=FILTERED)[0, :, 0].t()


def _named(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """Weight [outputs, inputs] and bias [outputs]."""
    return weights[f"{name}.linear.weight"], weights[f"{name}.linear.bias"]


def _normalising(layer: tuple[Tensor, Tensor], cmvn: Tensor) -> tuple[Tensor, Tensor]:
    """The same of features as they are: to add and to multiply before it is affine, too."""
    (weight, bias), (shift, scale) = [part.double() for part in layer], cmvn.double()
    scaled = weight * scale
    return scaled.float(), (scaled @ shift + bias).float()


def _composed(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """One affine map for two: fewer multiplications, as the bottleneck between them is not that narrow."""
    (weight1, bias1), (weight2, bias2) = [[part.double() for part in layer] for layer in (first, second)]
    return (weight2 @ weight1).float(), (weight2 @ bias1 + bias2).float()


def _layer(weights: Mapping[str, Tensor], number: int) -> tuple[Affine, Tensor, Affine]:
    """Projection from 250 to 128, filter taps float32 [128, 1, 1, 20], and expansion back to 250."""
    taps = weights[f"fsmn.{number}.fsmn_block.conv_left.weight"].transpose(2, 3).clone()
    # The filter's input is added to its output: one more on the tap of the present frame.
    taps[..., -1] += 1
    project = Affine(weights[f"fsmn.{number}.linear.linear.weight"])
    return project, taps, Affine(*_named(weights, f"fsmn.{number}.affine"))
