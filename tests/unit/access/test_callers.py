"""Who is let in, by the keys as they are at the moment."""

import errno
import os
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from msgspec import Struct
from structlog.testing import capture_logs

from actors.access import key_file, secret
from actors.access.key_file import KeyFileError
from actors.settings import Settings
from actors.store.limits import Quota
from api.callers import EVERYONE, OPERATOR, Caller, Callers
from api.errors import NoKey

#: What Litestar would rather have written in another way.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Door(Struct):
    """A running API process, and the file that it reads."""

    path: Path
    callers: Callers

    def asks(self, key: str | None) -> Caller | None:
        """Who is let in with a key; None for nobody."""
        try:
            return self.callers.identify(None if key is None else f"Bearer {key}")
        except NoKey:
            return None


def door(path: Path, *, operator: str = "", **settings: str) -> Door:
    """A process that has just been started."""
    return Door(path, Callers(Settings(**settings), operator, path))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where there is no file yet."""
    return tmp_path / "keys.json"


def test_a_running_process_takes_each_change(path: Path) -> None:
    """From the next request on: the first key closes it, and revoking the last one does not open it."""
    running = door(path)
    assert running.asks(None) == EVERYONE
    assert running.callers.is_open

    made, key = key_file.add("ann", Quota(jobs=2), path)
    assert running.asks(None) is None
    assert running.asks(key) == Caller("ann", Quota(jobs=2))

    _, other = key_file.add("bob", Quota(), path)
    assert running.asks(other) == Caller("bob")

    key_file.revoke(made.id, path)
    assert running.asks(key) is None
    assert running.asks(other) == Caller("bob")

    key_file.revoke("bob", path)
    assert running.asks(other) is None
    assert running.asks(None) is None
    assert not running.callers.is_open
    assert door(path).asks(None) is None, "nor does a restart open it"


def test_a_key_takes_the_place_of_another_without_a_gap(path: Path) -> None:
    """Two keys of a name are one caller, wherever they were given."""
    running = door(path, api_keys="ann:the-old-key")
    _, new = key_file.add("ann", Quota(), path)

    assert running.asks("the-old-key") == running.asks(new) == Caller("ann")


def test_given_keys_close_it_without_a_file(path: Path) -> None:
    """As ever."""
    running = door(path, api_keys="a-secret-key")

    assert running.asks(None) is None
    assert running.asks("another-key") is None
    assert running.asks("a-secret-key") is not None


def test_the_recipes_are_let_in(path: Path) -> None:
    """Whatever keys there are; their key alone closes nothing."""
    running = door(path, operator=secret.digest("of-the-recipes"))
    assert running.asks(None) == EVERYONE

    key_file.add("ann", Quota(), path)

    assert running.asks("of-the-recipes") == OPERATOR
    assert running.asks(None) is None


@pytest.mark.parametrize("sent", ["", "x", "0" * 64, "qk_", "ключ-é-鍵", "a" * 100_000])
def test_what_is_no_key(path: Path, sent: str) -> None:
    """Its hash is one neither."""
    made, key = key_file.add("ann", Quota(), path)
    running = door(path)

    assert running.asks(sent) is None
    assert running.asks(made.sha256) is None
    assert running.asks(made.id) is None
    assert running.asks(key[:-1]) is None
    assert running.asks(key) == Caller("ann")


def test_a_file_that_is_damaged_while_it_runs(path: Path) -> None:
    """Nobody is let in, not even with a key, until it is whole again."""
    _, key = key_file.add("ann", Quota(), path)
    running = door(path)
    whole = path.read_bytes()

    path.write_bytes(whole[:-3])
    for sent in (key, None):
        with pytest.raises(KeyFileError):
            running.asks(sent)
    assert not running.callers.is_open
    path.write_bytes(whole)

    assert running.asks(key) == Caller("ann")


def test_a_file_that_cannot_be_read_for_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is let in, nor by a key of before; then all are, though the file has not changed."""
    _, key = key_file.add("ann", Quota(), path)
    running = door(path)
    key_file.add("bob", Quota(), path)
    with monkeypatch.context() as hidden:
        hidden.setattr(Path, "read_bytes", _denied)
        for sent in (key, key, None):
            with pytest.raises(KeyFileError, match="Permission denied"):
                running.asks(sent)

    assert running.asks(key) == Caller("ann")


def test_a_folder_that_is_closed_for_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even whether there is a file can be told then."""
    _, key = key_file.add("ann", Quota(), path)
    running = door(path)
    with monkeypatch.context() as hidden:
        hidden.setattr(Path, "stat", _denied)
        hidden.setattr(Path, "read_bytes", _denied)
        for sent in (key, key, None):
            with pytest.raises(KeyFileError, match="Permission denied"):
                running.asks(sent)

    assert running.asks(key) == Caller("ann")


def _denied(*_: object, **__: object) -> NoReturn:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.mark.parametrize(
    ("sent", "status"), [(None, 200), ("Basic YTpi", 200), ("", 200), ("Bearer", 401), ("Bearer wrong", 401)]
)
async def test_what_is_public(path: Path, sent: str | None, status: int) -> None:
    """For all who send no key of ours: what a proxy lets in is none. A wrong one is not taken for none."""
    from api.app import create_app

    key_file.add("ann", Quota(), path)
    settings = Settings(public="page", redis_url="redis://127.0.0.1:1/0")
    app: Any = create_app(settings, Callers(settings, key_file=path))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        headers = {} if sent is None else {"Authorization": sent}

        assert (await client.get("/", headers=headers)).status_code == status
        assert (await client.get("/jobs", headers=headers)).status_code == 401


def test_what_fails_is_logged_once(path: Path) -> None:
    """However many ask meanwhile."""
    key_file.add("ann", Quota(), path)
    running = door(path)
    path.write_text("{")
    with capture_logs() as logged:
        for _ in range(3):
            with pytest.raises(KeyFileError):
                running.asks(None)

    assert [entry["event"] for entry in logged] == ["keys.unreadable"]


def test_a_file_that_goes_while_it_runs(path: Path) -> None:
    """It would be a poor lock that opens when somebody takes it away."""
    _, key = key_file.add("ann", Quota(), path)
    running = door(path)

    path.unlink()
    for sent in (key, None):
        with pytest.raises(KeyFileError, match="is gone"):
            running.asks(sent)
    with pytest.raises(KeyFileError, match="is gone"):
        door(path)  # nor is it open once its process is started again
    key_file.mark(path).unlink()
    with pytest.raises(KeyFileError, match="is gone"):
        running.asks(None)
    assert door(path).asks(None) == EVERYONE, "as the operator wants it"
    _, new = key_file.add("ann", Quota(), path)

    assert running.asks(key) is None
    assert running.asks(new) == Caller("ann")


def test_it_does_not_start_with_a_damaged_file(path: Path) -> None:
    """Rather than begin to refuse everyone."""
    path.write_text("{")

    with pytest.raises(KeyFileError):
        door(path)
