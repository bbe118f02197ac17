"""What this processor can do with small numbers."""

import torch

# Nothing public of torch says any of it.
_cpu = torch.cpu


def multiplies_integers() -> bool:
    """Whether it has the instructions for 8-bit integers, and this torch the operators."""
    return _cpu._is_avx2_supported() and torch._C._has_mkldnn  # noqa: SLF001


def multiplies_bfloat16() -> bool:
    """Whether it multiplies bfloat16 faster than float32."""
    return _cpu._is_avx512_bf16_supported()  # noqa: SLF001


def weight_levels() -> int:
    """Levels of a weight on each side of zero.

    Without VNNI two products are summed in 16 bits, which overflow unless the weights leave one of their bits
    unused.
    """
    return 127 if _cpu._is_vnni_supported() else 63  # noqa: SLF001
