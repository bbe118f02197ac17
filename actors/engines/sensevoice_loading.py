"""Loading a folder in FunASR's format, with nothing in it executed and nothing silently left random."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from actors.engines.sensevoice_folder import CONFIG, WEIGHTS
from actors.errors import StartupError
from actors.funasr_quiet import quiet

#: Fine-tuning wraps the weights in one of these, and the names of a parallel model begin with `module.`.
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_PARALLEL = "module."

#: The front end that `sensevoice_features` is.
_FRONTEND = {
    "fs": 16_000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10,
    "lfr_m": 7, "lfr_n": 6, "snip_edges": True, "upsacle_samples": True,
}  # fmt: skip


def load(folder: Path, device: str, threads: int) -> Any:
    """FunASR's `AutoModel` of a SenseVoice on `device`, torch using `threads` threads in this process.

    Raises:
        StartupError: the folder holds another model or damaged weights, or the device cannot be used.
    """
    if device != "cpu" and not torch.cuda.is_available():  # FunASR would quietly take the CPU
        raise StartupError("SenseVoice cannot be loaded on a GPU: torch sees none")
    state = _read(folder / WEIGHTS)
    try:
        with quiet():
            loaded = _auto_model(folder, device, threads)
    except Exception as error:
        raise StartupError(
            f"SenseVoice in {folder} cannot be loaded on {device}: {type(error).__name__}: {error}"
        ) from error
    _check(loaded, state, folder)
    if device == "cpu":
        _share(loaded.model, state)
    return loaded


def _share(model: Any, state: Mapping[str, Tensor]) -> None:
    """Put the mapped file in place of the model's copies: all instances then hold the weights once."""
    own = model.state_dict()
    same = {name: value for name, value in state.items() if name in own and value.dtype == own[name].dtype}
    model.load_state_dict(same, strict=False, assign=True)


def _auto_model(folder: Path, device: str, threads: int) -> Any:
    from funasr import AutoModel

    return AutoModel(
        model=str(folder.resolve()),
        hub="ms",
        # Said here because the folder's own configuration could say otherwise.
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


def _read(path: Path) -> dict[str, Tensor]:
    """The weights of a file by name; one that would run code when unpickled is refused."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        for wrapper in _WRAPPERS:
            state = state.get(wrapper, state)
        return {
            name.removeprefix(_PARALLEL): value for name, value in state.items() if isinstance(value, Tensor)
        }
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise StartupError(f"{path} is damaged, or holds more than weights: {reason}") from error


def _check(loaded: Any, state: Mapping[str, Tensor], folder: Path) -> None:
    kind = type(loaded.model).__name__
    if kind != "SenseVoiceSmall":
        raise StartupError(f"{folder} holds a {kind}, not a SenseVoiceSmall")
    # FunASR only warns, on stdout, and leaves these weights random.
    own = loaded.model.state_dict()
    wrong = [name for name in own if name not in state or state[name].shape != own[name].shape]
    if wrong:
        raise StartupError(
            f"{folder / WEIGHTS} does not fit {CONFIG}: {len(wrong)} weights are missing or of another "
            f"shape, the first is {wrong[0]}"
        )
    frontend = loaded.kwargs["frontend"]
    other = [name for name, value in _FRONTEND.items() if getattr(frontend, name, None) != value]
    if other or frontend.cmvn is None:
        raise StartupError(f"{folder / CONFIG} has a front end that differs: {', '.join(other) or 'no CMVN'}")
