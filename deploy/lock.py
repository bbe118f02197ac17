"""Writes `requirements.lock`: pyproject.toml's packages and all they need, at exact versions, with hashes.

uv resolves once for all platforms and Pythons, so that each package has one version wherever it is needed,
and takes from the index the sha256 of all its files. What is locked already stays as it is unless
pyproject.toml or an argument (`--upgrade`, `--upgrade-package NAME`) says otherwise.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy import locked

HEADER = """\
# Every package at the version it was tested with, and the sha256 of each of its files: set-up takes no other.
# Made from pyproject.toml by `./justw lock`; do not edit. Not for pip in one go: set-up installs it in parts.
#
# One exception: torch for Linux without a GPU comes from PyTorch's own index, as the package index has it
# with CUDA only. Of that build (2.13.0+cpu), and of any other with a local version, the version is pinned,
# but no hash: set-up takes the file that its index serves. The hashes below are those of the package index.
"""

#: The oldest Python that is supported; uv goes on from there to those that do not exist yet.
PYTHON = "3.11"


def main(arguments: Sequence[str]) -> None:
    """Resolve and write the lock."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.lock"
        if locked.LOCK.exists():
            lock.write_text(locked.LOCK.read_text(encoding="utf-8"), encoding="utf-8")
        _resolve(lock, arguments)
        found = locked.entries(lock.read_text(encoding="utf-8"))
    locked.LOCK.write_text(HEADER + "".join(found.values()), encoding="utf-8")
    print(f"Locked {len(found)} packages in {locked.LOCK.relative_to(locked.HOME)}.")


def _resolve(lock: Path, arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--system-certs"]
    command += ["--group", "dev", "--group", "versus", "--extra", "gpu", "--no-emit-package", "pip"]
    command += ["--universal", "--python-version", PYTHON, "--fork-strategy", "fewest"]
    command += ["--generate-hashes", "--no-annotate", "--no-header", "--output-file", str(lock), *arguments]
    subprocess.run(command, cwd=locked.HOME, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
