"""Which engine a setting means."""

import importlib
from collections.abc import Callable
from pathlib import Path

from actors import weights
from actors.engines import sensevoice, sensevoice_folder
from actors.engines.base import Engine, Precision
from actors.engines.sensevoice import SenseVoiceEngine
from actors.engines.whisper import WhisperEngine
from actors.errors import StartupError

#: The engines that come with the service, best first, each named as its weights are.
ENGINES: dict[str, Callable[[Precision | None], Engine]] = {
    sensevoice.NAME: lambda precision: SenseVoiceEngine(precision=precision),
    "whisper-base": WhisperEngine,
}

#: What `auto` means where nothing better is on disk.
EMBEDDED = "whisper-base"


def create(model: str, precision: Precision | None = None) -> Engine:
    """The engine, not loaded yet, that `ASR_MODEL` names.

    `auto`, one of `ENGINES`, a folder in FunASR's format, or `module:Class` for one's own, which alone knows
    in which precision it calculates. None is the precision usual on the device.

    Raises:
        StartupError: there is no such engine, or one's own could not be made.
    """
    name = resolve(model)
    if name in ENGINES:
        return ENGINES[name](precision)
    if is_folder(name):
        return SenseVoiceEngine(folder(name), precision)
    if ":" in name:
        return _own(name)
    raise StartupError(
        f"ASR_MODEL={model!r} is not an engine; there are auto, {', '.join(ENGINES)}, "
        "a SenseVoice folder in FunASR's format, and module:Class for one of your own"
    )


def resolve(model: str) -> str:
    """What `auto` means on this machine: the best engine whose weights are whole on disk."""
    if model != "auto":
        return model
    return next((name for name in ENGINES if weights.present(name)), EMBEDDED)


def is_folder(model: str) -> bool:
    """Whether a setting is a path rather than a name."""
    return "/" in model or (folder(model) / sensevoice_folder.CONFIG).is_file()


def folder(model: str) -> Path:
    """The folder that a setting names."""
    return Path(model).expanduser()


def _own(model: str) -> Engine:
    module, _, name = model.partition(":")
    try:
        engine: Engine = getattr(importlib.import_module(module), name)()
    except Exception as error:
        raise StartupError(f"ASR_MODEL={model!r} cannot be made: {type(error).__name__}: {error}") from error
    return engine
