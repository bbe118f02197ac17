"""The lock file."""

import re
import tomllib

import pytest

from deploy.locked import HOME, LOCK, Part, entries, part

PYPROJECT = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = [
    requirement
    for group in (
        PYPROJECT["project"]["dependencies"],
        *PYPROJECT["project"]["optional-dependencies"].values(),
        *PYPROJECT["dependency-groups"].values(),
    )
    for requirement in group
]
LOCKED = entries(LOCK.read_text(encoding="utf-8"))


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_what_pyproject_requires_is_pinned_and_locked(requirement: str) -> None:
    """A changed pin without a new lock would never be installed: run ./justw lock."""
    pinned = re.fullmatch(r"(?P<name>[\w-]+)(\[[\w-]+\])?==(?P<version>[\w.]+)", requirement)

    assert pinned, "not an exact version"
    assert LOCKED[pinned["name"].lower()].startswith(f"{pinned['name'].lower()}=={pinned['version']} ")


@pytest.mark.parametrize("entry", LOCKED.values(), ids=list(LOCKED))
def test_each_entry_has_an_exact_version_and_hashes(entry: str) -> None:
    """Nothing else stands in it: no URL, no option, no range."""
    pin = r"[a-z0-9-]+==[\w.!]+( ; [^\\\n]+)?"
    hashes = r"( \\\n    --hash=sha256:[0-9a-f]{64})+"

    assert re.fullmatch(rf"{pin}{hashes}\n", entry)


def test_beside_the_entries_there_are_comments_only() -> None:
    """Every line is seen by the tests above."""
    rest = LOCK.read_text(encoding="utf-8")
    for entry in LOCKED.values():
        rest = rest.replace(entry, "", 1)

    assert all(line.startswith("#") for line in rest.splitlines())


def test_each_package_is_in_one_part() -> None:
    """What a CUDA build of torch needs goes with torch; the GPU's figures are for all."""
    assert "".join(sorted("".join(map(part, Part)))) == "".join(sorted("".join(LOCKED.values())))
    assert set(entries(part(Part.TORCH))) >= {"torch", "triton", "nvidia-cublas", "cuda-toolkit"}
    assert "nvidia-ml-py" in entries(part(Part.PACKAGES))


def test_no_installer_is_locked() -> None:
    """It comes with Python; another one would replace it while it runs."""
    assert "pip" not in LOCKED
