"""Linear layers in 8-bit integers, for CPUs that multiply those fastest (AVX2, better AVX-512 VNNI).

Weights have a scale per output, inputs one per frame, found as they come: what becomes of a frame does not
depend on those beside it. Products are summed in 32 bits and come out in float32.
"""

from typing import Any

import torch
from torch import Tensor, nn

#: Levels of a weight on each side of zero. Without VNNI two products are summed in 16 bits, which overflow
#: unless the weights leave one of their bits unused.
_LEVELS = 127 if torch.cpu._is_vnni_supported() else 63  # noqa: SLF001 - nothing public says it

#: Inputs are unsigned, as these CPUs multiply unsigned by signed: what stands for zero where they have signs.
_ZERO = 128

#: A frame of zeros has a scale, too.
_LEAST = 1e-12

#: How many frames oneDNN is told to prepare the weights for; any number may come.
_FRAMES = 256


def supported() -> bool:
    """Whether this processor has the instructions, and this torch the operators."""
    return torch.cpu._is_avx2_supported() and torch._C._has_mkldnn  # noqa: SLF001 - nothing public says it


def replace(model: Any) -> None:
    """Put 8-bit layers in place of those of FunASR's SenseVoice that take nearly all its time."""
    encoder = model.encoder
    for layer in (*encoder.encoders0, *encoder.encoders, *encoder.tp_encoders):
        attention, forward = layer.self_attn, layer.feed_forward
        attention.linear_q_k_v = Int8Linear(attention.linear_q_k_v)
        attention.linear_out = Int8Linear(attention.linear_out)
        forward.w_1 = Int8Linear(forward.w_1)
        forward.w_2 = Int8Linear(forward.w_2, positive=True)
    model.ctc.ctc_lo = Int8Linear(model.ctc.ctc_lo)
    for rest in model.parameters():  # or for their sake the whole file would stay mapped
        rest.data = rest.data.clone()


class Int8Linear(nn.Module):
    """`linear` on 8-bit weights and inputs: float32 [..., inputs] to float32 [..., outputs].

    `positive`: its inputs are never negative (they come from a ReLU), which gives them twice the levels.
    """

    def __init__(self, linear: nn.Linear, *, positive: bool = False) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        self._scales = weight.abs().amax(1).clamp_min_(_LEAST).div_(_LEVELS)
        levels = weight.div(self._scales[:, None]).round_().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(levels, [_FRAMES, linear.in_features])
        self._zeros = torch.zeros(linear.out_features, dtype=torch.int64)
        self._bias = torch.zeros(linear.out_features) if linear.bias is None else linear.bias.detach().clone()
        self._most, self._zero = (255, 0) if positive else (127, _ZERO)

    def forward(self, inputs: Tensor) -> Tensor:
        """The layer's outputs."""
        frames = inputs.flatten(0, -2)
        peaks = (frames.abs() if self._zero else frames).amax(1, keepdim=True).clamp_min_(_LEAST)
        # The half makes the conversion, which cuts off, round.
        levels = frames.mul(self._most / peaks).add_(self._zero + 0.5).to(torch.uint8)
        products = torch.ops.onednn.qlinear_pointwise(
            levels, 1.0, self._zero, self._packed, self._scales, self._zeros,
            None, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        outputs = torch.addcmul(self._bias, products, peaks / self._most)
        return outputs.view(*inputs.shape[:-1], -1)
