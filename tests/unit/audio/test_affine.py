"""An affine map is the same whoever calculates it."""

import pytest
import torch

from actors.audio.affine import Affine, whole_rows


@pytest.mark.parametrize("has_onednn", [True, False])
@pytest.mark.parametrize("rows", [1, 49, 50, 51, 1000])
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("has_bias", [True, False])
def test_products(
    monkeypatch: pytest.MonkeyPatch, rows: int, *, has_onednn: bool, relu: bool, has_bias: bool
) -> None:
    """By oneDNN or without it, and for any number of rows, what float64 gives, to the rounding of float32."""
    monkeypatch.setattr(torch._C, "_has_mkldnn", has_onednn)
    torch.manual_seed(rows)
    inputs, weight = torch.randn(rows, 250), torch.randn(128, 250)
    bias = torch.randn(128) if has_bias else None
    exact = inputs.double() @ weight.double().t()
    if bias is not None:
        exact += bias
    if relu:
        exact.relu_()

    found = Affine(weight, bias)(inputs, relu=relu)

    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), exact, rtol=0, atol=1e-4)


def test_whole_rows_are_few_numbers() -> None:
    """Recordings up to 10 s long, in frames of 10 ms, come in twenty numbers of rows, and keep their own."""
    recordings = [torch.ones(frames, 1) for frames in range(1, 1001)]

    whole = [whole_rows(recording) for recording in recordings]

    assert len({len(rows) for rows in whole}) == 20
    assert [int(rows.sum()) for rows in whole] == list(range(1, 1001))
