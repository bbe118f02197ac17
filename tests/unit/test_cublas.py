"""Whisper on a GPU, where cuBLAS of CUDA 12 is missing."""

import pytest

from actors.engines import cublas
from actors.errors import StartupError


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the remedy, and when the model is loaded: CTranslate2 would only say so at the first batch."""
    monkeypatch.setattr(cublas, "_LIBRARIES", ("libcublas-of-no-machine.so.12",))

    with pytest.raises(StartupError, match="pip install nvidia-cublas-cu12"):
        cublas.load()
