"""Redis answers the tests of this folder when a busy machine lets it, but for those of what lets it wait."""

import pytest

from actors.store import connection

#: Longer than this machine may stand still.
PATIENCE_S = 30.0


@pytest.fixture
def promptly() -> None:
    """For tests of a Redis that does not answer: it is given up as soon as it is in the service."""


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stall of a second fails no test that is about something else; whoever stops Redis means it to."""
    if not {"promptly", "redis_process"} & set(request.fixturenames):
        monkeypatch.setattr(connection, "PROMPT_TIMEOUT_S", PATIENCE_S)
