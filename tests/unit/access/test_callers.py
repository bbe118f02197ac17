"""Who is let in, by the keys as they are at the moment."""

from pathlib import Path

import pytest
from msgspec import Struct

from actors.access import key_file, secret
from actors.access.key_file import KeyFileError
from actors.settings import Settings
from actors.store.limits import Quota
from api.callers import EVERYONE, OPERATOR, Caller, Callers
from api.errors import NoKey


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
    path.with_suffix(".lock").unlink()
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
