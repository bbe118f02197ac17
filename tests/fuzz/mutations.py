"""How a file is damaged: a seed and a number say all of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from tests.fuzz.samples import WRITERS, sample

Rng = np.random.Generator

#: Damages to one file, one after the other.
_MOST: Final = 4

#: Where containers keep what they say of themselves: half of the damage is done to so much of the beginning.
_HEAD_BYTES: Final = 512

#: What sizes and counts are set to, in either byte order.
_ABSURD: Final = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_WIDTHS: Final = (2, 4, 8)


class Damaged(Struct, frozen=True):
    """One file: which it is, what it was, what was done to it."""

    number: int
    container: str
    done: tuple[str, ...]
    content: bytes

    def without_content(self) -> "Damaged":
        """What is left to be told of it."""
        return msgspec.structs.replace(self, content=b"")


def made(seed: int, count: int, containers: Sequence[str] = tuple(WRITERS)) -> Iterator[Damaged]:
    """Damaged files of these containers in turn."""
    return (damaged(seed, number, containers) for number in range(count))


def damaged(seed: int, number: int, containers: Sequence[str]) -> Damaged:
    """The file with this number."""
    rng = np.random.default_rng([seed, number])
    container = containers[number % len(containers)]
    content = bytearray(sample(container))
    names = [str(name) for name in rng.choice(list(MUTATIONS), rng.integers(1, _MOST + 1))]
    for name in names:
        MUTATIONS[name](rng, content)
    return Damaged(number, container, tuple(names), bytes(content))


def _flip_bits(rng: Rng, content: bytearray) -> None:
    for _ in range(int(rng.integers(1, 65))):
        if content:
            content[_place(rng, content)] ^= 1 << int(rng.integers(8))


def _overwrite(rng: Rng, content: bytearray) -> None:
    start, end = _range(rng, content)
    content[start:end] = rng.bytes(end - start)


def _clear(rng: Rng, content: bytearray) -> None:
    start, end = _range(rng, content)
    content[start:end] = bytes(end - start)


def _truncate(rng: Rng, content: bytearray) -> None:
    del content[_place(rng, content) :]


def _remove(rng: Rng, content: bytearray) -> None:
    start, end = _range(rng, content)
    del content[start:end]


def _repeat(rng: Rng, content: bytearray) -> None:
    start, end = _range(rng, content)
    content[end:end] = content[start:end] * int(rng.integers(1, 9))


def _swap(rng: Rng, content: bytearray) -> None:
    start, end = _range(rng, content)
    piece = content[start:end]
    del content[start:end]
    at = _place(rng, content)
    content[at:at] = piece


def _absurd_number(rng: Rng, content: bytearray) -> None:
    width = int(rng.choice(_WIDTHS))
    number = int(rng.choice(_ABSURD)) & ((1 << 8 * width) - 1)
    at = _place(rng, content)
    content[at : at + width] = number.to_bytes(width, "big" if rng.integers(2) else "little")


def _splice(rng: Rng, content: bytearray) -> None:
    """A piece of another container somewhere in this one."""
    other = bytearray(_another(rng))
    start, end = _range(rng, other)
    at = _place(rng, content)
    content[at : at + int(rng.integers(2)) * (end - start)] = other[start:end]


def _graft(rng: Rng, content: bytearray) -> None:
    """The head of this container on the body of another."""
    content[_place(rng, content) :] = _another(rng)[int(rng.integers(_HEAD_BYTES)) :]


#: By name, as the report has them.
MUTATIONS: Final[dict[str, Callable[[Rng, bytearray], None]]] = {
    "flip bits": _flip_bits,
    "overwrite": _overwrite,
    "clear": _clear,
    "truncate": _truncate,
    "remove": _remove,
    "repeat": _repeat,
    "swap": _swap,
    "absurd number": _absurd_number,
    "splice": _splice,
    "graft": _graft,
}


def _another(rng: Rng) -> bytes:
    return sample(str(rng.choice(list(WRITERS))))


def _place(rng: Rng, content: bytearray) -> int:
    reach = min(len(content), _HEAD_BYTES) if rng.integers(2) else len(content)
    return int(rng.integers(reach)) if reach else 0


def _range(rng: Rng, content: bytearray) -> tuple[int, int]:
    """Of all lengths alike, from a byte to the whole file."""
    start = _place(rng, content)
    length = int(2 ** rng.uniform(0, np.log2(max(2, len(content) - start))))
    return start, min(len(content), start + length)
