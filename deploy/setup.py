"""Makes `.venv` from `requirements.lock` and fetches the weights; does nothing when nothing changed.

Standard library only: this runs before anything is installed, on any Python from 3.11.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from deploy.install import PIP_REMEDY, install
from deploy.locked import HOME, LOCK
from deploy.step import SetupFailed, step

VENV = HOME / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".setup-done"


def main() -> int:
    """Set up what is missing; the exit status is 0 when all is in place."""
    os.chdir(HOME)
    gpu = has_gpu()
    try:
        if not _is_done(gpu=gpu):
            STAMP.unlink(missing_ok=True)
            _make_environment()
            _drop_misfits(gpu=gpu)
            install(PYTHON, gpu=gpu)
            STAMP.write_text(fingerprint(gpu=gpu), encoding="utf-8")
        _fetch_weights()
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; ./justw setup goes on from here.", file=sys.stderr)
        return 130
    return 0


def fingerprint(*, gpu: bool) -> str:
    """What the environment depends on; another value means that it must be brought up to date."""
    parts = (LOCK.read_text(encoding="utf-8"), _interpreter(), str(VENV), str(gpu))
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def has_gpu() -> bool:
    """Whether an NVIDIA driver is installed."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def _is_done(*, gpu: bool) -> bool:
    made = STAMP.exists() and (VENV / "pyvenv.cfg").exists()
    return made and STAMP.read_text(encoding="utf-8") == fingerprint(gpu=gpu)


def _interpreter() -> str:
    return f"{Path(sys.base_prefix).resolve()} {sys.version} {sysconfig.get_platform()}"


def _make_environment() -> None:
    if _environment_is_ours():
        return
    # Not the environment's own: clearing it must not remove the Python that clears.
    base = Path(getattr(sys, "_base_executable", sys.executable))
    base = base.resolve() if base.is_relative_to(VENV) else base
    if subprocess.run([base, "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        raise SetupFailed(
            f"{base} has no ensurepip: install it (Debian and Ubuntu: apt install python3-venv), "
            "then run ./justw setup again."
        )
    title = f"Making .venv with Python {sys.version.split()[0]}"
    step(
        title,
        [str(base), "-m", "venv", "--clear", str(VENV)],
        "remove the folder .venv, then run ./justw setup again",
    )


def _environment_is_ours() -> bool:
    """Whether .venv works and belongs to this interpreter and this folder, which may have been moved."""
    question = "import sys, pip; print(sys.base_prefix, sys.version, sep='\\n')"
    try:
        asked = subprocess.run([PYTHON, "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return False
    pip = VENV / "bin" / "pip"
    moved = not pip.exists() or str(VENV) not in pip.read_text(encoding="utf-8", errors="replace")
    return not moved and asked.stdout.strip() == f"{sys.base_prefix}\n{sys.version}"


def _drop_misfits(*, gpu: bool) -> None:
    """Remove what does not fit: torchaudio breaks FunASR without CUDA, and pip would keep a CPU torch."""
    packages = next((VENV / "lib").glob("python*/site-packages"))
    unwanted = {"torch": "torch-*+cpu.dist-info"} if gpu else {"torchaudio": "torchaudio-*.dist-info"}
    for name, pattern in unwanted.items():
        if any(packages.glob(pattern)):
            command = [str(PYTHON), "-m", "pip", "uninstall", "--quiet", "--yes", name]
            step(f"Removing {name}", command, PIP_REMEDY)


def _fetch_weights() -> None:
    command = [str(PYTHON), "-m", "actors.weights", "fetch"]
    if subprocess.run(command, check=False).returncode:
        raise SetupFailed("The weights are not in place: see above, then run ./justw setup again.")


if __name__ == "__main__":
    sys.exit(main())
