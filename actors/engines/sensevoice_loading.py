"""Loading a folder in FunASR's format, with nothing in it executed and nothing silently left random.

FunASR's classes are made as its `AutoModel` makes them, but without importing all of FunASR, which takes ten
seconds of a core, and without filling 234 million parameters with random numbers that are replaced at once.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from msgspec import Struct
from torch import Tensor

from actors.engines.sensevoice_folder import CONFIG, WEIGHTS
from actors.errors import StartupError
from actors.funasr_quiet import alone, quiet

#: Fine-tuning wraps the weights in one of these, and the names of a parallel model begin with `module.`.
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_PARALLEL = "module."

#: The front end that `sensevoice_features` is.
_FRONTEND = {
    "fs": 16_000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10,
    "lfr_m": 7, "lfr_n": 6, "snip_edges": True, "upsacle_samples": True,
}  # fmt: skip


class Parts(Struct, frozen=True):
    """What FunASR makes of a folder: the model without weights, `cmvn` float32 [2, 560], the tokenizer."""

    model: Any
    cmvn: Tensor
    tokenizer: Any


def parts(folder: Path) -> Parts:
    """The parts of a SenseVoice; its parameters have shapes only.

    Raises:
        StartupError: the folder holds another model, or one that cannot be made.
    """
    try:
        with quiet():
            config, made = _make(folder)
    except Exception as error:
        raise StartupError(
            f"SenseVoice in {folder} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if made is None:
        raise StartupError(f"{folder} holds a {config['model']}, not a SenseVoiceSmall")
    model, frontend, tokenizer = made
    other = [name for name, value in _FRONTEND.items() if getattr(frontend, name, None) != value]
    if other or frontend.cmvn is None:
        raise StartupError(f"{folder / CONFIG} has a front end that differs: {', '.join(other) or 'no CMVN'}")
    return Parts(model.eval(), frontend.cmvn, tokenizer)


def weights(model: Any, folder: Path) -> dict[str, Tensor]:
    """All weights of the model by name, mapped from the file where that can be: instances then share them.

    Raises:
        StartupError: the file is damaged, or does not fit the model.
    """
    state, own = _read(folder / WEIGHTS), model.state_dict()
    # FunASR only warns, on stdout, and leaves these weights random.
    wrong = [name for name in own if name not in state or state[name].shape != own[name].shape]
    if wrong:
        raise StartupError(
            f"{folder / WEIGHTS} does not fit {CONFIG}: {len(wrong)} weights are missing or of another "
            f"shape, the first is {wrong[0]}"
        )
    return {name: state[name].to(value.dtype) for name, value in own.items()}


def _make(folder: Path) -> tuple[Mapping[str, Any], tuple[Any, Any, Any] | None]:
    """The configuration, and the model, front end and tokenizer, unless it is of another model."""
    with alone():
        import funasr.frontends.wav_frontend
        import funasr.models.sense_voice.model
        import funasr.models.specaug.specaug
        import funasr.tokenizer.sentencepiece_tokenizer  # noqa: F401 - importing registers
        from funasr.download.download_model_from_hub import download_model
        from funasr.register import tables

    # Said here because the folder's own configuration could say otherwise. A folder is never downloaded.
    config = cast(
        "Mapping[str, Any]",
        download_model(
            model=str(folder.resolve()), hub="ms", trust_remote_code=False, frontend_conf={"dither": 0.0}
        ),
    )
    if config["model"] != "SenseVoiceSmall":
        return config, None
    tokenizer = tables.tokenizer_classes[config["tokenizer"]](**config["tokenizer_conf"])
    frontend = tables.frontend_classes[config["frontend"]](**config["frontend_conf"])
    sizes = {"input_size": frontend.output_size(), "vocab_size": tokenizer.get_vocab_size()}
    with torch.device("meta"):
        model = tables.model_classes[config["model"]](**{**config.get("model_conf", {}), **config, **sizes})
    return config, (model, frontend, tokenizer)


def _read(path: Path) -> dict[str, Tensor]:
    """The weights of a file by name; one that would run code when unpickled is refused."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        for wrapper in _WRAPPERS:
            state = state.get(wrapper, state)
        return {
            name.removeprefix(_PARALLEL): value.detach()
            for name, value in state.items()
            if isinstance(value, Tensor)
        }
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise StartupError(f"{path} is damaged, or holds more than weights: {reason}") from error
