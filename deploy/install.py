"""Installs what `requirements.lock` lists, part by part; pip checks each file's hash.

`python -m deploy.install cpu|cuda` does so, without the tools of development, for the Python that runs it: an
image's. Standard library only, as all of set-up.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from deploy.locked import LOCK, Part, part
from deploy.step import SetupFailed, step

#: PyPI's torch for Linux brings several GB of CUDA libraries; this index has it without.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_INDEX_PATIENCE_S = 3

PIP_REMEDY = "check the network and pip's index (pip config list), then run ./justw setup again"

_INSTALL = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")


def main() -> int:
    """Bring the Python that runs this to what the lock lists; the exit status is 0 when that is done."""
    parser = argparse.ArgumentParser(prog="python -m deploy.install")
    parser.add_argument("variant", choices=("cpu", "cuda"))
    try:
        install(Path(sys.executable), gpu=parser.parse_args().variant == "cuda", tools=False)
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def install(python: Path, *, gpu: bool, tools: bool = True) -> None:
    """Bring the environment of `python` to what the lock lists, with or without the tools of development.

    Raises:
        SetupFailed: pip could not, or a file is not the locked one.
    """
    _locked(python, Part.BUILDER, "Installing what sources are built with")
    # Else pip would build them with whatever setuptools the index has today, which no hash covers.
    _locked(python, Part.SOURCES, "Building what has no wheels", "--no-build-isolation", "--use-pep517")
    _locked(python, Part.PACKAGES, f"Installing the packages of {LOCK.name}")
    if tools:
        _locked(python, Part.TOOLS, "Installing the tools of development")
    _torch(python, gpu=gpu)
    if gpu:
        _locked(python, Part.TORCHAUDIO, "Installing torchaudio")


def _locked(python: Path, wanted: Part, title: str, *options: str) -> None:
    """Install one part: what it needs is listed too, and so no dependency is followed."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as requirements:
        requirements.write(part(wanted))
        requirements.flush()
        command = [str(python), *_INSTALL, "--no-deps", "--require-hashes", *options]
        step(title, [*command, "--requirement", requirements.name], PIP_REMEDY)


def _torch(python: Path, *, gpu: bool) -> None:
    """Install torch: the locked files of the package index, or another build where pip prefers one."""
    title = "Installing torch with CUDA (several GB)" if gpu else "Installing torch"
    wanted = [_pin(), *_torch_index(gpu=gpu)]
    if _is_build_of_another_index(python, wanted):
        step(title, [str(python), *_INSTALL, *wanted], PIP_REMEDY)
    else:
        _locked(python, Part.TORCH, title)


def _pin() -> str:
    return next(line.split()[0] for line in part(Part.TORCH).splitlines() if line.startswith("torch=="))


def _is_build_of_another_index(python: Path, wanted: Sequence[str]) -> bool:
    """Whether pip takes a torch with a local version, such as 2.13.0+cpu, which PyPI never has."""
    command = [str(python), *_INSTALL, "--dry-run", "--ignore-installed", "--no-deps", "--report", "-"]
    asked = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
    if asked.returncode:
        return False
    return "+" in json.loads(asked.stdout)["install"][0]["metadata"]["version"]


def _torch_index(*, gpu: bool) -> list[str]:
    """The arguments for a torch without CUDA, where that can be had and is not the only one anyway."""
    if gpu or sys.platform != "linux" or not _answers(f"{CPU_INDEX}/torch/"):
        return []
    return ["--extra-index-url", CPU_INDEX]


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 -- our own constant, https
    try:
        with urllib.request.urlopen(request, timeout=CPU_INDEX_PATIENCE_S) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main())
