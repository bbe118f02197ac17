"""The lock file."""

import re
import tomllib

from deploy import lock


def test_the_lock_has_every_pin_of_pyproject() -> None:
    """A changed pin without a new lock would never be installed: run ./justw lock."""
    pyproject = tomllib.loads((lock.HOME / "pyproject.toml").read_text(encoding="utf-8"))
    locked = set(lock.LOCK.read_text(encoding="utf-8").splitlines())

    assert {requirement.lower() for requirement in lock.wanted(pyproject)} <= locked


def test_the_lock_has_exact_versions_only() -> None:
    """Every line is a comment or `name==version`."""
    lines = lock.LOCK.read_text(encoding="utf-8").splitlines()

    assert all(line.startswith("#") or re.fullmatch(r"[a-z0-9.-]+==[\w.!]+", line) for line in lines)


def test_what_belongs_to_a_build_of_torch_is_left_to_torch() -> None:
    """CUDA's packages and local versions would tie the lock to one machine."""
    versions = {"torch": "2.13.0+cpu", "nvidia-cublas": "13.1", "triton": "3.8", "nvidia-ml-py": "13.6"}
    report = {"install": [{"metadata": {"name": n, "version": v}} for n, v in versions.items()]}

    assert lock.pins(report) == ["nvidia-ml-py==13.6", "torch==2.13.0"]
