"""The weights of a SenseVoice in integers: made once, kept in a file that all instances map."""

import contextlib
import ctypes
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import torch
from msgspec import Struct
from torch import Tensor

from actors.engines.int8 import processor
from actors.engines.int8.kernels import SHIFT
from actors.engines.sensevoice_folder import CONFIG
from actors.errors import StartupError
from actors.locked import locked

#: Changes whenever the file's content would.
_FORMAT: Final = 1

#: Tokens whose likelihoods exist at a time.
_TOKENS: Final = 2048

#: A column of zeros has a scale, too.
_LEAST: Final = 1e-12


class Linear(Struct, frozen=True):
    """A linear layer.

    `levels`: int8 [inputs, outputs], which oneDNN reads faster than the reverse. `scales`, `bias`: float32
    [outputs]. `moved`: int32 [outputs], what the sums lack when inputs that are never negative were moved by
    `SHIFT`.
    """

    levels: Tensor
    scales: Tensor
    bias: Tensor
    moved: Tensor

    @classmethod
    def of(cls, linear: Any) -> Self:
        """From a layer of torch."""
        weight = linear.weight.detach().float()
        scales = weight.abs().amax(1).clamp_min_(_LEAST).div_(processor.weight_levels())
        levels = weight.div(scales[:, None]).round_().to(torch.int8)
        bias = torch.zeros(len(weight)) if linear.bias is None else linear.bias.detach().float()
        return cls(levels.t().contiguous(), scales, bias, levels.sum(1, dtype=torch.int32).mul_(SHIFT))

    def parts(self, size: int) -> Iterator["Linear"]:
        """Several layers, each with so many of the outputs."""
        for first in range(0, len(self.scales), size):
            part = slice(first, first + size)
            yield Linear(
                self.levels[:, part].contiguous(), self.scales[part], self.bias[part], self.moved[part]
            )


class Norm(Struct, frozen=True):
    """A layer norm: float32 [size] each, and what keeps it from dividing by zero."""

    weight: Tensor
    bias: Tensor
    least: float

    @classmethod
    def of(cls, norm: Any) -> Self:
        """From a layer of FunASR."""
        return cls(norm.weight.detach().float(), norm.bias.detach().float(), norm.eps)


class Layer(Struct, frozen=True):
    """A layer of the encoder, in the order of its calculation; its memory as in `kernels.Memory`."""

    norm1: Norm
    projection: Linear
    taps: Tensor
    before: int
    begins: bool
    out: Linear
    norm2: Norm
    widen: Linear
    narrow: Linear

    @classmethod
    def of(cls, layer: Any) -> Self:
        """From a layer of FunASR's encoder."""
        attention, forward = layer.self_attn, layer.feed_forward
        before = attention.pad_fn.padding[0]
        taps = attention.fsmn_block.weight.detach().float()[:, 0].t().contiguous()
        taps[before] += 1  # what the filter sees is added to what it gives
        return cls(
            norm1=Norm.of(layer.norm1),
            projection=_scaled(Linear.of(attention.linear_q_k_v), attention),
            taps=taps,
            before=before,
            begins=layer.in_size != layer.size,
            out=Linear.of(attention.linear_out),
            norm2=Norm.of(layer.norm2),
            widen=Linear.of(forward.w_1),
            narrow=Linear.of(forward.w_2),
        )


class Weights(Struct, frozen=True):
    """All that the model has: the first `layers` end with a norm, the `later` ones with another."""

    queries: Tensor
    heads: int
    layers: tuple[Layer, ...]
    norm: Norm
    later: tuple[Layer, ...]
    later_norm: Norm
    #: In parts: their likelihoods stay near the cache.
    vocabulary: tuple[Linear, ...]

    @classmethod
    def of(cls, model: Any) -> Self:
        """From FunASR's model with its weights."""
        encoder = model.encoder
        return cls(
            queries=model.embed.weight.detach().float(),
            heads=encoder.encoders[0].self_attn.h,
            layers=tuple(map(Layer.of, (*encoder.encoders0, *encoder.encoders))),
            norm=Norm.of(encoder.after_norm),
            later=tuple(map(Layer.of, encoder.tp_encoders)),
            later_norm=Norm.of(encoder.tp_norm),
            vocabulary=tuple(Linear.of(model.ctc.ctc_lo).parts(_TOKENS)),
        )


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process make or compile while others wait; who may not write in the folder waits for nobody."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder / ".lock"))
        yield


def mapped(source: Path, folder: Path, make: Callable[[], Weights]) -> Weights:
    """The weights that `make` makes from the file `source`, mapped from a file in `folder`.

    That is written if it is not there, or was made from something else: `one_at_a_time`.

    Raises:
        StartupError: it cannot be written, or not be read back.
    """
    facts = _facts(source)
    name = hashlib.sha256(repr((str(source.resolve()), processor.weight_levels())).encode()).hexdigest()
    path = folder / f"{source.parent.name}-{name[:8]}.pt"
    found = _read(path, facts)
    if found is None:
        made = make()
        try:
            _write(made, facts, path)
        except (OSError, RuntimeError) as error:  # torch's, when the disk is full
            raise StartupError(
                f"the weights in 8-bit integers cannot be kept in {folder}: {error}"
            ) from error
        del made
        _give_back()
        found = _read(path, facts)
    if found is None:
        raise StartupError(f"the weights in 8-bit integers cannot be read back from {path}")
    return found


def _facts(source: Path) -> tuple[str, ...]:
    """What weights depend on: the file that they are made from, the configuration beside it, and how."""
    files = (source, source.with_name(CONFIG))
    stats = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists()]
    return tuple(map(str, (source.resolve(), *stats, _FORMAT, processor.weight_levels())))


def _read(path: Path, facts: tuple[str, ...]) -> Weights | None:
    """The weights in a file, mapped; none if it is not there, is damaged, or was made from something else."""
    try:
        plain = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        return msgspec.convert(plain["weights"], Weights) if tuple(plain["facts"]) == facts else None
    except Exception:  # noqa: BLE001 - whatever it is, the file is made anew
        return None


def _write(weights: Weights, facts: tuple[str, ...], path: Path) -> None:
    made = path.with_suffix(".new")
    try:
        with made.open("wb") as file:
            torch.save({"facts": list(facts), "weights": _plain(weights)}, file)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def _give_back() -> None:
    """Return to the system what making took, which glibc would keep: as much again as all instances map."""
    with contextlib.suppress(AttributeError):  # other C libraries
        ctypes.CDLL(None).malloc_trim(0)


def _plain(value: Any) -> Any:
    """Structs as dictionaries, which is what torch may read back without running code."""
    if isinstance(value, Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _scaled(projection: Linear, attention: Any) -> Linear:
    """A projection to queries, keys and values whose queries need no division by √size in attention."""
    factor = torch.ones_like(projection.scales)
    factor[: attention.h * attention.d_k] = attention.d_k**-0.5
    return Linear(projection.levels, projection.scales * factor, projection.bias * factor, projection.moved)
