"""Two who start the same checkout at once."""

from pathlib import Path

import pytest

from actors.errors import StartupError
from deploy import start


def test_no_place_for_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that cannot be written to: a sentence, and no traceback."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(start, "STATE_DIR", tmp_path / "file" / ".quintet")

    with pytest.raises(StartupError, match="cannot be made or opened"), start.one_at_a_time():
        pass
