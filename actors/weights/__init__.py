"""The weights of the models: where they lie, whether they are whole, how they are fetched."""

from pathlib import Path

from actors import settings
from actors.errors import StartupError
from actors.weights import check, fetching, manifest
from actors.weights.progress import Progress, silent


def folder(name: str) -> Path:
    """Where a model's files lie, whether or not they are there yet."""
    return settings.STATE_DIR / "weights" / name


def verify(name: str) -> Path:
    """The folder of a model whose files are all the manifest's.

    Raises:
        StartupError: a file is missing or damaged, or the manifest has no such model.
    """
    found = check.faults(manifest.model(name), folder(name))
    if found:
        wrong = ", ".join(f"{path} is {fault}" for path, fault in found.items())
        raise StartupError(f"{folder(name)}: {wrong}; run `./justw models fetch {name}`")
    return folder(name)


def present(name: str) -> bool:
    """Whether a model's files are all on disk and the manifest's."""
    return not check.faults(manifest.model(name), folder(name))


def fetch(name: str, progress: Progress = silent) -> Path:
    """The folder of a model, fetched first if a file is missing or damaged.

    Raises:
        StartupError: no source gave the files, or the manifest has no such model.
    """
    fetching.fetch(manifest.model(name), folder(name), progress)
    return folder(name)
