"""Which engine a setting means."""

import importlib

from actors.engines.base import Engine
from actors.engines.whisper import WhisperEngine
from actors.errors import StartupError

#: The engines that come with the service, best first: `auto` takes the first.
ENGINES: dict[str, type[Engine]] = {"whisper-base": WhisperEngine}


def create(model: str) -> Engine:
    """The engine, not loaded yet, that `ASR_MODEL` names: `auto`, one of `ENGINES`, or one's own class.

    Raises:
        StartupError: there is no such engine, or one's own could not be made.
    """
    if model == "auto":
        return next(iter(ENGINES.values()))()
    if model in ENGINES:
        return ENGINES[model]()
    if ":" in model:
        return _own(model)
    raise StartupError(
        f"ASR_MODEL={model!r} is not an engine; there are auto, {', '.join(ENGINES)}, "
        "and module:Class for one of your own"
    )


def _own(model: str) -> Engine:
    module, _, name = model.partition(":")
    try:
        engine: Engine = getattr(importlib.import_module(module), name)()
    except Exception as error:
        raise StartupError(f"ASR_MODEL={model!r} cannot be made: {type(error).__name__}: {error}") from error
    return engine
