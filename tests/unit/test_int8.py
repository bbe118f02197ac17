"""SenseVoice's parts in 8-bit integers do what they do in float32, but for rounding."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
from msgspec import Struct
from torch import Tensor
from torch.nn import functional

from actors.engines.int8 import kernels, weights
from actors.engines.int8.kernels import Memory, Norm, Outputs, Products
from actors.engines.int8.model import shared
from actors.errors import StartupError

SIZE = 96
WEIGHT = torch.linspace(0.5, 2, SIZE)
BIAS = torch.linspace(-1, 1, SIZE)
NORM = Norm(WEIGHT.numpy(), BIAS.numpy(), np.float32(1e-5))


class Quantized(Struct):
    """Room for what a kernel gives, as numbers."""

    levels: Any
    scales: Any

    @classmethod
    def of(cls, frames: int, size: int = SIZE) -> "Quantized":
        """For so many frames."""
        return cls(np.empty((frames, size), np.int8), np.empty(frames, np.float32))

    def values(self, moved: int = 0) -> Tensor:
        """What the levels stand for."""
        return torch.from_numpy((self.levels.astype(np.float32) + moved) * self.scales[:, None])


def test_a_layer_in_integers_is_the_layer() -> None:
    """Within the error of 127 levels on each side, for frames of any magnitude."""
    layer = torch.nn.Linear(512, SIZE)
    inputs = _frames(7, 512)

    found = np.empty((7, SIZE), np.float32)
    kernels.unfold(_products(weights.Linear.of(layer), inputs), found)

    exact = layer(inputs).detach() - layer.bias.detach()
    differs = torch.from_numpy(found) - layer.bias.detach() - exact
    assert (differs.norm(dim=1) / exact.norm(dim=1)).max() < 0.02


@pytest.mark.parametrize("zero", [False, True])
def test_levels_are_as_near_as_they_can_be(zero: bool) -> None:  # noqa: FBT001
    """Half a level at most; zeros stay zeros."""
    frames = _frames(5) * (not zero)
    made = Quantized.of(5)

    kernels.quantize(frames.numpy(), made.levels, made.scales)

    assert ((made.values() - frames).abs().amax(1) <= torch.from_numpy(made.scales) * 0.501).all()


def test_a_norm_is_the_norm() -> None:
    """As torch's, in levels."""
    frames = _frames(5)
    made = Quantized.of(5)

    kernels.normalize(frames.numpy(), NORM, made.levels, made.scales)

    _assert_near(made.values(), functional.layer_norm(frames, (SIZE,), WEIGHT, BIAS, 1e-5), made.scales)


def test_what_is_rectified_is_never_negative() -> None:
    """255 levels from zero on, moved to fit."""
    sums, layer = _sums(6), _outputs()
    made = Quantized.of(6)
    made.scales[:] = 0.01

    exact = torch.relu(_unfolded(sums, made.scales, layer))
    kernels.rectify(Products(sums, made.scales, layer), made.levels)

    assert exact.max() > 0
    _assert_near(made.values(kernels.SHIFT), exact, made.scales)


def test_what_is_added_was_moved() -> None:
    """Sums of inputs that were moved by `SHIFT` are put right, added, and normalised for the next layer."""
    sums, layer, hidden = _sums(6), _outputs(), _frames(6)
    made = Quantized.of(6)
    made.scales[:] = 0.01
    exact = hidden + _unfolded(sums + layer.moved, made.scales, layer)

    kernels.add(Products(sums, made.scales, layer), hidden.numpy(), NORM, made.levels)

    torch.testing.assert_close(hidden, exact, rtol=1e-5, atol=1e-5)
    _assert_near(made.values(), functional.layer_norm(exact, (SIZE,), WEIGHT, BIAS, 1e-5), made.scales)


@pytest.mark.parametrize("begins", [False, True])
def test_the_memory_ends_with_its_row(begins: bool) -> None:  # noqa: FBT001
    """A filter over time, for each row as if it were alone; shorter rows than the filter, too."""
    lengths = [9, 1, 4]
    starts = np.cumsum([0, *lengths])
    frames = int(starts[-1])
    sums, layer, hidden, projected = _sums(frames), _outputs(), _frames(frames), _frames(frames, 3 * SIZE)
    taps = torch.randn(11, SIZE)
    made = Quantized.of(frames)
    made.scales[:] = 0.01
    values = projected[:, 2 * SIZE :]
    remembered = torch.cat([_filtered(values[a:b], taps) for a, b in pairwise(starts.tolist())])
    exact = _unfolded(sums, made.scales, layer) + remembered + (0 if begins else hidden)

    products = Products(sums, made.scales, layer)
    memory = Memory(taps.numpy(), 5, begins)
    kernels.remember(products, projected.numpy(), memory, starts, hidden.numpy(), NORM, made.levels)

    torch.testing.assert_close(hidden, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("offset", [-1000.0, 0.0, 1000.0])
def test_the_likeliest_is_found_among_parts(offset: float) -> None:
    """Also where all are negative; of equals the first."""
    sums = np.random.default_rng(0).integers(-5000, 5000, (40, 300), dtype=np.int32)
    sums[0, [7, 200]] = 6000
    layer = Outputs(np.ones(300, np.float32), np.full(300, offset, np.float32), np.zeros(300, np.int32))
    best, found = np.full(40, kernels.LOWEST, np.int32), np.empty(40, np.int32)

    for part in (slice(0, 128), slice(128, 256), slice(256, 300)):
        outputs = Outputs(layer.scales[part], layer.bias[part], layer.moved[part])
        products = Products(np.ascontiguousarray(sums[:, part]), np.ones(40, np.float32), outputs)
        kernels.likeliest(products, part.start, best, found)

    assert found.tolist() == sums.argmax(1).tolist()


@pytest.mark.parametrize(
    ("lengths", "shares", "expected"),
    [
        ([5], 3, [[0]]),
        ([1, 2, 3], 1, [[2, 1, 0]]),
        ([5, 3, 2, 1], 2, [[0, 3], [1, 2]]),
    ],
)
def test_threads_get_about_as_much(lengths: list[int], shares: int, expected: list[list[int]]) -> None:
    """The longest first, to whoever has least; nobody gets nothing."""
    assert shared(lengths, shares) == expected


class TestKept:
    """The file that instances share."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """A file that weights are made from."""
        path = tmp_path / "model" / "model.pt"
        path.parent.mkdir()
        path.write_bytes(b"weights")
        return path

    def test_made_once(self, source: Path, tmp_path: Path) -> None:
        """Who comes later reads what the first has written."""
        made = _weights()

        first = weights.mapped(source, tmp_path, lambda: made)
        second = weights.mapped(source, tmp_path, _never)

        assert torch.equal(first.queries, made.queries)
        assert torch.equal(second.layers[0].out.levels, made.layers[0].out.levels)

    @pytest.mark.parametrize("spoil", [lambda kept: kept.write_bytes(b"half"), lambda kept: kept.unlink()])
    def test_made_anew_when_spoilt(
        self, source: Path, tmp_path: Path, spoil: Callable[[Path], object]
    ) -> None:
        """A file that cannot be read is written again."""
        weights.mapped(source, tmp_path, _weights)
        [kept] = tmp_path.glob("*.pt")
        spoil(kept)

        assert weights.mapped(source, tmp_path, _weights).heads == 2

    def test_nothing_half_written_is_left(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A disk that is full is not kept full."""
        before = set(tmp_path.rglob("*"))
        monkeypatch.setattr(torch, "save", _full_disk)

        with pytest.raises(StartupError, match="cannot be kept"):
            weights.mapped(source, tmp_path, _weights)

        assert set(tmp_path.rglob("*")) == before

    def test_made_anew_from_other_weights(self, source: Path, tmp_path: Path) -> None:
        """In the place of those of before."""
        weights.mapped(source, tmp_path, _weights)
        source.write_bytes(b"other weights")
        made = _weights()

        found = weights.mapped(source, tmp_path, lambda: made)

        assert torch.equal(found.queries, made.queries)
        assert len(list(tmp_path.glob("*.pt"))) == 1


def _frames(count: int, size: int = SIZE) -> Tensor:
    """Frames of very different magnitudes."""
    return torch.randn(count, size) * torch.logspace(-3, 3, count)[:, None]


def _products(linear: weights.Linear, inputs: Tensor) -> Products:
    made = Quantized.of(len(inputs), inputs.shape[1])
    kernels.quantize(inputs.numpy(), made.levels, made.scales)
    sums = made.levels.astype(np.int32) @ linear.levels.numpy().astype(np.int32)
    outputs = Outputs(linear.scales.numpy(), linear.bias.numpy(), linear.moved.numpy())
    return Products(sums, made.scales, outputs)


def _sums(frames: int) -> Any:
    return np.random.default_rng(1).integers(-20_000, 20_000, (frames, SIZE), dtype=np.int32)


def _outputs() -> Outputs:
    rng = np.random.default_rng(2)
    scales, bias = rng.uniform(0.001, 0.1, SIZE), rng.normal(size=SIZE)
    return Outputs(scales.astype(np.float32), bias.astype(np.float32), rng.integers(-9, 9, SIZE, np.int32))


def _unfolded(sums: Any, scales: Any, layer: Outputs) -> Tensor:
    return torch.from_numpy((sums * scales[:, None] * layer.scales + layer.bias).astype(np.float32))


def _filtered(values: Tensor, taps: Tensor) -> Tensor:
    padded = functional.pad(values.t(), (5, 5))
    return functional.conv1d(padded[None], taps.t()[:, None], groups=SIZE)[0].t()


def _assert_near(found: Tensor, exact: Tensor, scales: Any) -> None:
    """Half a level, and what summing in another order makes of it."""
    assert ((found - exact).abs().amax(1) <= torch.from_numpy(scales) * 0.52).all()


def _full_disk(_: object, file: BinaryIO) -> None:
    file.write(b"half")
    raise RuntimeError("unexpected pos 704 vs 598")


def _never() -> weights.Weights:
    raise AssertionError("made a second time")


def _weights() -> weights.Weights:
    linear = weights.Linear.of(torch.nn.Linear(8, 8))
    norm = weights.Norm(torch.rand(8), torch.rand(8), 1e-5)
    layer = weights.Layer(norm, linear, torch.rand(11, 8), 5, False, linear, norm, linear, linear)
    return weights.Weights(torch.rand(16, 8), 2, (layer,), norm, (layer,), norm, (linear,))
