"""What `start` says can be done next."""

import io

import pytest
from rich.console import Console

from actors import settings
from actors.access import key_file
from actors.settings import Settings
from deploy import running
from deploy.service import announce

PAGE = "http://127.0.0.1:5002/ "


def said(monkeypatch: pytest.MonkeyPatch, config: Settings, *, is_open: bool) -> str:
    """It, of a service with these settings."""
    monkeypatch.setattr(settings, "load", lambda: config)
    monkeypatch.setattr(key_file, "is_open", lambda _: is_open)
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as captured:
        announce(running.describe(config, ""), console)
    return captured.get()


def test_the_page_of_an_open_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address."""
    steps = said(monkeypatch, Settings(), is_open=True)

    assert PAGE in steps
    assert "KEY" not in steps


@pytest.mark.parametrize(("public", "shown"), [("", False), ("metrics", False), ("stats,page", True)])
def test_the_page_of_a_closed_one(monkeypatch: pytest.MonkeyPatch, public: str, shown: bool) -> None:  # noqa: FBT001
    """Its address where it is shown, else how it would be."""
    steps = said(monkeypatch, Settings(public=public), is_open=False)

    assert "Bearer KEY" in steps
    assert (PAGE in steps) is shown
    assert ("ASR_PUBLIC=page" in steps) is not shown


def test_a_host_without_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs there, and no address."""
    steps = said(monkeypatch, Settings(redis_url="redis://hub", parts="instances,segmenters"), is_open=True)

    assert "Ready here: segmenters, instances." in steps
    assert "http" not in steps
