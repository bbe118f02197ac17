"""What `ASR_MODEL` needs on disk, and what `auto` takes if it can be had."""

import contextlib
import sys
from pathlib import Path

from actors import settings, weights
from actors.settings import SettingsError
from actors.weights import check, manifest, probe, terminal
from actors.weights.fetching import NoSource
from actors.weights.manifest import Model


def fetch(name: str) -> None:
    """Fetch a model where it is missing or damaged, and show how that gets on.

    Raises:
        StartupError: no source gave the files, or the manifest has no such model.
    """
    # Asked first, because the terminal's progress line is slow to import.
    if check.faults(manifest.model(name), weights.folder(name)):
        with terminal.progress(name) as progress:
            weights.fetch(name, progress)


def fetch_needed() -> None:
    """Fetch what any installation needs and what `ASR_MODEL` names, and for `auto` the optional ones.

    Raises:
        StartupError: what is needed could not be had; of what is optional one line says so.
    """
    wanted = _wanted()
    for model in manifest.read().values():
        if not model.optional or model.name == wanted:
            fetch(model.name)
        elif wanted == "auto" and not weights.present(model.name):
            _try(model)


def _wanted() -> str:
    try:
        return settings.load().model
    except SettingsError:
        return ""  # refused at start; until it is right, nothing optional is wanted


def _try(model: Model) -> None:
    if _differed(model):
        _do_without(f"What the hubs have as {model.name} differs from the manifest", model)
    elif not probe.answers(model):
        _do_without(f"No answer from {' or '.join(source.endpoint for source in model.hubs)}", model)
    else:
        _say(
            f"Fetching {model.name}, {model.size_bytes / 1e6:.0f} MB; what is interrupted goes on next time. "
            "ASR_MODEL=whisper-base does without."
        )
        try:
            fetch(model.name)
        except NoSource as error:
            if error.differs:
                with contextlib.suppress(OSError):  # a full disk only means that it is tried again
                    _mark(model).write_text(_files(model), encoding="utf-8")
            _do_without(f"{model.name} could not be fetched ({'; '.join(error.failures)})", model)
        except OSError as error:
            _do_without(f"{model.name} could not be fetched ({error})", model)


def _differed(model: Model) -> bool:
    """Whether the hubs gave other files than these before: not every start is to download them again."""
    mark = _mark(model)
    return mark.exists() and mark.read_text(encoding="utf-8") == _files(model)


def _mark(model: Model) -> Path:
    return weights.folder(model.name).with_name(f".{model.name}.differed")


def _files(model: Model) -> str:
    return "".join(f"{file.sha256}  {file.path}\n" for file in model.files)


def _do_without(why: str, model: Model) -> None:
    _say(
        f"{why}: ASR_MODEL=auto runs the embedded Whisper base. "
        f"Get the better model later: ./justw models fetch {model.name}"
    )


def _say(line: str) -> None:
    # Not among the subtitles that ./justw transcribe prints.
    sys.stderr.write(f"{line}\n")
