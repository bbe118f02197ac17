"""Writes `requirements.lock`: pyproject.toml's packages and all they need, at exact versions.

pip resolves into an empty throw-away environment, and its report is what gets pinned. The packages that
only a CUDA build of torch needs are left out: torch pins these itself, exactly.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
LOCK = HOME / "deploy" / "requirements.lock"

HEADER = """\
# Every package at the version it was tested with. Made from pyproject.toml by `./justw lock`; do not edit.
# torch is pinned without its local version, so that a CPU build (2.13.0+cpu) and a CUDA build both fit.
"""

#: Packages that come along with torch's CUDA build, and the installer itself.
LEFT_OUT = re.compile(r"^(nvidia-(?!ml-py)|cuda-|triton$|pip$|wheel$)")


def wanted(pyproject: dict[str, Any]) -> list[str]:
    """The requirements that are locked: the product's and the developers', not the GPU extra's."""
    return [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["dev"]]


def pins(report: dict[str, Any]) -> list[str]:
    """The `name==version` lines of a pip installation report, sorted by name."""
    versions = {_name(item["metadata"]["name"]): item["metadata"]["version"] for item in report["install"]}
    return [
        f"{name}=={version.partition('+')[0]}"
        for name, version in sorted(versions.items())
        if not LEFT_OUT.match(name)
    ]


def main() -> None:
    """Resolve and write the lock."""
    requirements = wanted(tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8")))
    report = _resolve(requirements)
    lines = pins(report)
    LOCK.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"Locked {len(lines)} packages in {LOCK.relative_to(HOME)}.")


def _resolve(requirements: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        report = Path(folder) / "report.json"
        command = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report), *requirements]
        subprocess.run(command, check=True)
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
