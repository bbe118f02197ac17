"""Which engine a setting means."""

import importlib
from pathlib import Path

from actors import weights
from actors.engines import sensevoice, sensevoice_folder
from actors.engines.base import Engine
from actors.engines.sensevoice import SenseVoiceEngine
from actors.engines.whisper import WhisperEngine
from actors.errors import StartupError

#: The engines that come with the service, best first, each named as its weights are.
ENGINES: dict[str, type[Engine]] = {sensevoice.NAME: SenseVoiceEngine, "whisper-base": WhisperEngine}

#: What `auto` means where nothing better is on disk.
EMBEDDED = "whisper-base"


def create(model: str) -> Engine:
    """The engine, not loaded yet, that `ASR_MODEL` names.

    `auto`, one of `ENGINES`, a folder in FunASR's format, or `module:Class` for one's own.

    Raises:
        StartupError: there is no such engine, or one's own could not be made.
    """
    name = resolve(model)
    if name in ENGINES:
        return ENGINES[name]()
    if is_folder(name):
        return SenseVoiceEngine(folder(name))
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
