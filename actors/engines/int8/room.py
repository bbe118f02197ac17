"""Memory that is used again."""

import math

import torch
from torch import Tensor


class Room:
    """What one thread calculates in: memory that is new from the system costs more than any pass over it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[torch.dtype, str], Tensor] = {}

    def take(self, shape: tuple[int, ...], dtype: torch.dtype, name: str = "") -> Tensor:
        """A tensor with whatever is there; the one taken before under that name and type is lost."""
        size = math.prod(shape)
        kept = self._kept.get((dtype, name))
        if kept is None or len(kept) < size:
            kept = self._kept[dtype, name] = torch.zeros(size, dtype=dtype)
        return kept[:size].view(shape)
