"""The files of FunASR's FSMN-VAD, checked before they are used."""

import re
from pathlib import Path

import torch
from torch import Tensor

from actors.audio.vad_features import FEATURES

LAYERS = 4
HIDDEN = 250
#: Values per frame that the filter over time sees, and how many frames, the present one included.
FILTERED = 128
TAPS = 20
#: Size of the bottleneck after the input and before the output.
_NARROW = 140
#: What the network tells apart: silence, and phones.
_CLASSES = 248


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


def read_cmvn(path: Path) -> Tensor:
    """Mean and variance normalisation from Kaldi's text: float32 [2, 400], what to add, then to multiply by.

    Raises:
        ValueError: the file holds something else.
    """
    text = path.read_text(encoding="utf-8")
    rows = []
    for component in ("AddShift", "Rescale"):
        found = re.search(rf"<{component}>[^\[]*\[([^\]]*)\]", text)
        row = torch.tensor([float(number) for number in found[1].split()] if found else [])
        if row.shape != (FEATURES,) or not row.isfinite().all():
            raise ValueError(f"{path.name} has no {FEATURES} numbers under <{component}>")
        rows.append(row)
    return torch.stack(rows)


def _shapes() -> dict[str, tuple[int, ...]]:
    """Every weight by its name behind `encoder.`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, inputs, outputs in (
        ("in_linear1", FEATURES, _NARROW),
        ("in_linear2", _NARROW, HIDDEN),
        *((f"fsmn.{number}.affine", FILTERED, HIDDEN) for number in range(LAYERS)),
        ("out_linear1", HIDDEN, _NARROW),
        ("out_linear2", _NARROW, _CLASSES),
    ):
        shapes[f"{name}.linear.weight"] = (outputs, inputs)
        shapes[f"{name}.linear.bias"] = (outputs,)
    for number in range(LAYERS):
        shapes[f"fsmn.{number}.linear.linear.weight"] = (FILTERED, HIDDEN)
        shapes[f"fsmn.{number}.fsmn_block.conv_left.weight"] = (FILTERED, 1, TAPS, 1)
    return shapes
