"""The control socket and the folders."""

from pathlib import Path

import pytest

from actors import life_sign
from actors.errors import StartupError
from deploy import paths


def test_the_socket_lies_in_the_checkout() -> None:
    """A checkout at a usual depth keeps its socket to itself."""
    run_dir = Path("/srv/quintet/.quintet/run")

    assert paths.socket_path(run_dir) == run_dir / "supervisor.sock"


def test_a_deep_checkout_has_a_short_socket_of_its_own() -> None:
    """Where the path would not fit a socket address, the temporary folder holds it, one for each checkout."""
    deep = Path("/" + "d" * 120)

    first, second = paths.socket_path(deep / "a"), paths.socket_path(deep / "b")

    assert len(str(first)) <= paths.LONGEST_SOCKET_BYTES
    assert first != second
    assert first == paths.socket_path(deep / "a")


def test_a_path_is_measured_in_bytes() -> None:
    """Forty Chinese characters are 120 bytes, too many for a socket."""
    deep = Path("/" + "语" * 40)

    assert not paths.socket_path(deep).is_relative_to(deep)


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in its place, or a disk that takes nothing: the sentence names the folder."""
    logs = tmp_path / "logs"
    logs.touch()
    monkeypatch.setattr(paths, "RUN_DIR", tmp_path / "run")
    monkeypatch.setattr(paths, "LOG_DIR", logs)
    monkeypatch.setattr(life_sign, "FOLDER", tmp_path / "run" / "life")

    with pytest.raises(StartupError, match="logs cannot be made: File exists"):
        paths.make_folders()
