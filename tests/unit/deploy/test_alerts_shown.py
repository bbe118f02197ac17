"""What `alerts` says, and what it exits with."""

from typing import Any

import pytest

from deploy import alerts
from deploy.client import Client

DISK: dict[str, Any] = {
    "name": "disk",
    "state": "firing",
    "severity": "critical",
    "since_ms": 1_767_225_600_000,
    "value": 1000.0,
    "threshold": 2048.0,
    "summary": "the disk is full",
}


LOOKED = {"judged_ms": 1_767_225_600_000, "is_stale": False}
SILENT = LOOKED | {"is_stale": True}


@pytest.mark.parametrize(
    ("answer", "said", "status"),
    [
        (LOOKED | {"alerts": []}, "No alert has fired.", 0),
        (LOOKED | {"alerts": [DISK]}, "the disk is full", 1),
        (LOOKED | {"alerts": [DISK | {"state": "resolved"}]}, "the disk is full", 0),
        (SILENT | {"alerts": [], "judged_ms": None}, "No monitor has looked yet: nobody knows", 2),
        (SILENT | {"alerts": []}, "The monitor has not looked since 20", 2),
        (SILENT | {"alerts": [DISK]}, "the disk is full", 2),
    ],
)
def test_alerts(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: dict[str, Any],
    said: str,
    status: int,
) -> None:
    """That nothing fires is said only where a monitor looks; what it knew last is shown all the same."""
    monkeypatch.setattr(Client, "get", lambda *_: answer)
    monkeypatch.setenv("COLUMNS", "120")

    assert alerts.main() == status

    shown = capsys.readouterr()
    assert said in shown.out + shown.err
    assert ("No alert" in shown.out) == (not answer["alerts"] and not answer["is_stale"])
