"""Affine maps in float32, on a CPU by oneDNN.

torch itself gives such products to MKL, whose code for AMD's processors reaches 100 GFLOP/s on a core where
oneDNN's, which goes by what the processor can do, reaches 240 (Zen 5).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

#: Where torch.compile finds its linear layers, too.
_onednn: Any = torch.ops.mkldnn

#: oneDNN compiles code for every number of rows, in half a millisecond and more: there shall be few of them.
_ROWS = 50


class Affine:
    """x Wᵀ + b, for inference."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """Weight float32 [outputs, inputs] and bias [outputs], both on the device that calculates."""
        self._weight, self.bias = weight, bias
        self._by_onednn = weight.is_cpu and torch._C._has_mkldnn  # noqa: SLF001 - nothing public says it
        if self._by_onednn:
            self._weight = _onednn._reorder_linear_weight(weight)  # noqa: SLF001 - has no public name

    def __call__(self, inputs: Tensor, *, relu: bool = False) -> Tensor:
        """Float32 [rows, outputs] from [rows, inputs]; on another device than a CPU [..., rows, outputs]."""
        outputs: Tensor
        if self._by_onednn:
            rows, then = whole_rows(inputs), "relu" if relu else "none"
            outputs = _onednn._linear_pointwise(rows, self._weight, self.bias, then, [], "")  # noqa: SLF001
            return outputs[: len(inputs)]
        outputs = linear(inputs, self._weight, self.bias)
        return outputs.relu_() if relu else outputs


def whole_rows(rows: Tensor) -> Tensor:
    """With as many rows of zeros as an `Affine` would append: several in turn need then append none."""
    missing = -len(rows) % _ROWS
    return pad(rows, (0, 0, 0, missing)) if missing else rows
