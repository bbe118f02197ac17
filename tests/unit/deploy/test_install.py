"""What set-up lets pip install."""

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from deploy import install, locked
from deploy.step import SetupFailed

PYTHON = Path(sys.executable)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes all packages from."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def wheel(folder: Path, name: str, version: str) -> Path:
    """An empty package."""
    stem = f"{name}-{version}"
    made = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as packed:
        info = f"{stem}.dist-info"
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")
    return made


@pytest.mark.parametrize(
    ("builds", "is_other"),
    [(["2.13.0"], False), (["2.13.0", "2.13.0+cpu"], True), ([], False)],
)
def test_a_build_of_another_index_is_told_by_its_local_version(
    index: Path, builds: list[str], *, is_other: bool
) -> None:
    """Which pip prefers where it is on offer; where there is no torch at all, the locked one is asked for."""
    for version in builds:
        wheel(index, "torch", version)

    assert install._is_build_of_another_index(PYTHON, ["torch==2.13.0"]) is is_other


def test_a_file_that_is_not_the_locked_one_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an index serves under the right name and version; the message names the package."""
    other = hashlib.sha256(b"another file").hexdigest()
    wheel(index, "quintet_nothing", "1.0")
    lock = index / "requirements.lock"
    lock.write_text(f"quintet-nothing==1.0 \\\n    --hash=sha256:{other}\n", encoding="utf-8")
    monkeypatch.setattr(locked, "LOCK", lock)

    with pytest.raises(SetupFailed, match="DO NOT MATCH THE HASHES") as refused:
        install._locked(PYTHON, locked.Part.PACKAGES, "Trying")

    assert "quintet-nothing==1.0" in str(refused.value)


def test_what_is_not_locked_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version without hashes is none."""
    wheel(index, "quintet_nothing", "1.0")
    lock = index / "requirements.lock"
    lock.write_text("quintet-nothing==1.0\n", encoding="utf-8")
    monkeypatch.setattr(locked, "LOCK", lock)

    with pytest.raises(SetupFailed, match="Hashes are required"):
        install._locked(PYTHON, locked.Part.PACKAGES, "Trying")


def test_an_image_is_without_the_tools_of_development(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor torchaudio where it has no CUDA; a checkout has them."""
    parts: list[locked.Part] = []
    monkeypatch.setattr(install, "_locked", lambda _, part, *__: parts.append(part))
    monkeypatch.setattr(install, "_is_build_of_another_index", lambda *_: False)
    monkeypatch.setattr(install, "_answers", lambda _: False)
    monkeypatch.setattr(sys, "argv", ["install", "cpu"])

    assert install.main() == 0
    assert locked.Part.TORCH in parts
    assert not {locked.Part.TOOLS, locked.Part.TORCHAUDIO} & set(parts)

    install.install(PYTHON, gpu=True)
    assert {locked.Part.TOOLS, locked.Part.TORCHAUDIO} <= set(parts)
