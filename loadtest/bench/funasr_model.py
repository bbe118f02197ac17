"""FunASR's own SenseVoice, to compare with."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from actors.engines.base import Row
from actors.engines.sensevoice_folder import WEIGHTS
from actors.funasr_quiet import quiet


def load(folder: Path, device: str, threads: int) -> Any:
    """Its `AutoModel` of a folder on `device`, torch using `threads` threads in this process."""
    with quiet():
        from funasr import AutoModel

        return AutoModel(
            model=str(folder.resolve()),
            hub="ms",
            init_param=str(folder.resolve() / WEIGHTS),
            trust_remote_code=False,
            frontend_conf={"dither": 0.0},
            device=device,
            ncpu=threads,
            disable_update=True,
            disable_pbar=True,
            disable_log=True,
            log_level="ERROR",
        )


def generating(folder: Path, device: str, threads: int) -> Callable[[Sequence[Row]], object]:
    """Recognises a row at a time as FunASR does; what is given to it holds one."""
    loaded = load(folder, device, threads)

    def generate(batch: Sequence[Row]) -> object:
        (row,) = batch
        heard: object = loaded.generate(row.samples, language="auto", use_itn=True, disable_pbar=True)
        return heard

    return generate
