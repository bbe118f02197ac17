"""The corpus on disk: made once for each recipe and seed, and made anew where it is broken."""

import shutil
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from actors.locked import locked
from actors.settings import STATE_DIR
from loadtest.corpus.clips import audio_of
from loadtest.corpus.encoding import encoded
from loadtest.corpus.recipes import RECIPES, VERSION, Draft, drafts
from loadtest.corpus.recording import Recording
from loadtest.plan import BadPlan

CORPORA: Final = STATE_DIR / "corpus"

_MANIFEST: Final = "manifest.json"


class _Entry(Struct, frozen=True):
    """A recording, with its path within the folder, and the digest of its file."""

    recording: Recording
    digest: str


_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
_DECODER: Final = msgspec.json.Decoder(list[_Entry], dec_hook=lambda kind, written: kind(written))


def recordings(recipe: str, seed: int) -> list[Recording]:
    """The recordings of a recipe; the same seed gives the same.

    Raises:
        BadPlan: there is no such recipe.
    """
    if recipe not in RECIPES:
        raise BadPlan(f"there is no corpus {recipe!r}; there are {', '.join(RECIPES)}")
    folder = CORPORA / f"{recipe}-{seed}-{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / "lock"):
        return _read(folder) or _made(folder, recipe, seed)


def _read(folder: Path) -> list[Recording]:
    """What is there; nothing where any of it is missing or damaged."""
    try:
        entries = _DECODER.decode((folder / _MANIFEST).read_bytes())
        if any(_digest((folder / one.recording.path).read_bytes()) != one.digest for one in entries):
            return []
    except (OSError, msgspec.DecodeError):
        return []
    return [msgspec.structs.replace(one.recording, path=folder / one.recording.path) for one in entries]


def _made(folder: Path, recipe: str, seed: int) -> list[Recording]:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    for left in (unfinished, folder):
        shutil.rmtree(left, ignore_errors=True)
    unfinished.mkdir()
    entries = [
        _written(unfinished, f"{recipe}-{number:02}-{draft.kind}.{draft.fmt}", draft)
        for number, draft in enumerate(drafts(recipe, seed), 1)
    ]
    (unfinished / _MANIFEST).write_bytes(_ENCODER.encode(entries))
    unfinished.rename(folder)
    return _read(folder)


def _written(folder: Path, name: str, draft: Draft) -> _Entry:
    file = encoded(audio_of(draft.samples), draft.fmt)
    (folder / name).write_bytes(file)
    recording = Recording(
        name=name,
        path=Path(name),
        language=draft.language,
        audio_s=draft.audio_s,
        text=draft.text,
        speech_s=draft.speech_s,
    )
    return _Entry(recording, _digest(file))


def _digest(file: bytes) -> str:
    return blake2b(file, digest_size=16).hexdigest()
