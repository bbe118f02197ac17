"""SenseVoice's encoder on FunASR's weights: a padded batch in which no row feels its padding.

The same sums as `funasr.models.sense_voice.model.SenseVoiceEncoderSmall`, which cannot run in half
precision (its mask is float32) and spends memory on attention matrices.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _Mask:
    """Which frames of a padded batch count.

    `counts`: bool [rows, frames]; `factor`: the same as 0 and 1, [rows, frames, 1]; `keys`: the same for
    attention, bool [rows, 1, 1, frames], or none where every frame counts, which is faster.
    """

    def __init__(self, lengths: Tensor, frames: int, dtype: torch.dtype) -> None:
        self.counts = torch.arange(frames, device=lengths.device) < lengths[:, None]
        self.factor = self.counts[:, :, None].to(dtype)
        # Asking a GPU would mean waiting for it.
        full = lengths.device.type == "cpu" and bool(self.counts.all())
        self.keys = None if full else self.counts[:, None, None, :]


def encode(encoder: Any, inputs: Tensor, lengths: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Run FunASR's encoder module.

    `inputs`: float32 [rows, frames, features], queries included; `lengths`: int [rows], the frames of each.
    The hidden states `dtype` [rows, frames, size], and which of them count, bool [rows, frames].
    """
    hidden = placed(inputs, encoder.output_size()).to(dtype)
    mask = _Mask(lengths, hidden.shape[1], dtype)
    for layer in (*encoder.encoders0, *encoder.encoders):
        hidden = _layer(layer, hidden, mask)
    hidden = _norm(encoder.after_norm, hidden)
    for layer in encoder.tp_encoders:
        hidden = _layer(layer, hidden, mask)
    return _norm(encoder.tp_norm, hidden), mask.counts


def placed(inputs: Tensor, size: int) -> Tensor:
    """Inputs float32 [..., frames, features] as an encoder with hidden states of that size wants them."""
    return inputs * math.sqrt(size) + _positions(inputs.shape[-2], inputs.shape[-1], inputs.device)


def _positions(frames: int, size: int, device: torch.device) -> Tensor:
    """Sinusoids, counted from 1: float32 [frames, size]."""
    step = torch.log(torch.tensor(10_000.0, device=device)) / (size / 2 - 1)
    scales = torch.exp(torch.arange(size // 2, device=device).float() * -step)
    angles = torch.arange(1, frames + 1, device=device).float()[:, None] * scales
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def _layer(layer: Any, hidden: Tensor, mask: _Mask) -> Tensor:
    attended = _attention(layer.self_attn, _norm(layer.norm1, hidden), mask)
    # The first layer changes the size, and so has nothing to add its input to.
    hidden = hidden + attended if layer.in_size == layer.size else attended
    forward = layer.feed_forward
    output: Tensor = hidden + forward.w_2(functional.relu_(forward.w_1(_norm(layer.norm2, hidden))))
    return output


def _attention(module: Any, hidden: Tensor, mask: _Mask) -> Tensor:
    """Self-attention plus its memory, a convolution over time (SANM)."""
    query, key, value = module.linear_q_k_v(hidden).chunk(3, dim=-1)
    attended = functional.scaled_dot_product_attention(
        _heads(module, query), _heads(module, key), _heads(module, value), attn_mask=mask.keys
    )
    output: Tensor = module.linear_out(attended.transpose(1, 2).flatten(2)) + _memory(module, value, mask)
    return output


def _heads(module: Any, part: Tensor) -> Tensor:
    """[rows, frames, size] to [rows, heads, frames, size of a head]."""
    return part.view(*part.shape[:2], module.h, module.d_k).transpose(1, 2)


def _memory(module: Any, value: Tensor, mask: _Mask) -> Tensor:
    value = value * mask.factor
    filtered: Tensor = module.fsmn_block(module.pad_fn(value.transpose(1, 2))).transpose(1, 2)
    return (filtered + value) * mask.factor


def _norm(norm: Any, hidden: Tensor) -> Tensor:
    return functional.layer_norm(hidden, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
