"""cuBLAS for CTranslate2, whose wheels are built for CUDA 12 while torch brings that of CUDA 13."""

import ctypes
import sysconfig
from pathlib import Path
from typing import Final

from actors.errors import StartupError

#: In the order in which they need each other.
_LIBRARIES: Final = ("libcublasLt.so.12", "libcublas.so.12")

#: Where the wheel `nvidia-cublas-cu12` puts them; the loader does not look there.
_OF_THE_WHEEL: Final = Path(sysconfig.get_path("platlib"), "nvidia", "cublas", "lib")


def load() -> None:
    """Load it for the process, so that CTranslate2 finds it when it asks for it by name.

    Raises:
        StartupError: this machine has none.
    """
    for name in _LIBRARIES:
        beside = _OF_THE_WHEEL / name
        try:
            ctypes.CDLL(str(beside) if beside.exists() else name, ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise StartupError(
                "Whisper on a GPU needs cuBLAS of CUDA 12, which torch does not bring: "
                "`.venv/bin/pip install nvidia-cublas-cu12`, or `ASR_DEVICES=cpu`"
            ) from error
