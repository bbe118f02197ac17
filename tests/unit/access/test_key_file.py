"""The file with the keys: what it holds, who may read it, and that nothing of it is lost or half there."""

import errno
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from actors.access import key_file, secret
from actors.access.key_file import KeyFileError
from actors.settings import Settings
from actors.store.limits import Quota


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where there is no file yet."""
    return tmp_path / "state" / "keys.json"


def test_a_key_is_kept_as_its_hash(path: Path) -> None:
    """What lies on the disk lets nobody in; what is shown has 256 bits."""
    made, key = key_file.add("ann", Quota(jobs=3), path)

    read = key_file.read(path)
    assert read is not None
    assert list(read) == [made]
    assert (made.caller, made.quota, made.sha256) == ("ann", Quota(jobs=3), secret.digest(key))
    assert key.startswith("qk_")
    assert len(key) >= len("qk_") + 256 / 6
    for file in path.parent.iterdir():
        assert key.removeprefix("qk_") not in file.read_text()


def test_no_two_keys_are_the_same(path: Path) -> None:
    """Two of a caller live side by side, so that one can take the place of the other."""
    keys = {key_file.add("ann", Quota(), path)[1] for _ in range(20)}

    assert len(keys) == 20
    assert [key.caller for key in key_file.read(path) or ()] == ["ann"] * 20


def test_only_its_user_may_read_it(path: Path) -> None:
    """Whatever the umask is."""
    umask = os.umask(0)
    try:
        key_file.add("ann", Quota(), path)
        key_file.add("bob", Quota(), path)
    finally:
        os.umask(umask)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_key_is_revoked_by_its_id_and_a_caller_by_name(path: Path) -> None:
    """One of several, or all that a caller has; of others none."""
    first, _ = key_file.add("ann", Quota(), path)
    second, _ = key_file.add("ann", Quota(), path)
    third, _ = key_file.add("ann", Quota(), path)
    other, _ = key_file.add("bob", Quota(), path)

    assert key_file.revoke(second.id, path) == (second,)
    assert key_file.read(path) == (first, third, other)
    assert key_file.revoke("ann", path) == (first, third)
    assert key_file.read(path) == (other,)
    assert key_file.revoke("ann", path) == ()


def test_the_last_key_leaves_a_closed_service(path: Path) -> None:
    """A file without keys is there; nothing to revoke makes none."""
    assert key_file.is_open(Settings(), path)
    assert key_file.revoke("ann", path) == ()
    assert key_file.is_open(Settings(), path)

    made, _ = key_file.add("ann", Quota(), path)
    key_file.revoke(made.id, path)

    assert key_file.read(path) == ()
    assert not key_file.is_open(Settings(), path)


GOOD = {"caller": "ann", "sha256": "0" * 64, "created_ms": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"keys": null}',
        b"\xff\xfe",
        json.dumps({"keys": [GOOD], "more": 1}).encode(),
        json.dumps({"keys": [GOOD | {"caller": "@operator"}]}).encode(),
        json.dumps({"keys": [GOOD | {"sha256": ""}]}).encode(),
        json.dumps({"keys": [GOOD | {"sha256": "0" * 63}]}).encode(),
        json.dumps({"keys": [GOOD | {"quota": {"jobs": -1}}]}).encode(),
        json.dumps({"keys": [GOOD | {"expires": 1}]}).encode(),
        json.dumps({"keys": [GOOD]}).encode()[:-2],
    ],
)
def test_a_damaged_file_is_never_taken_for_an_open_service(path: Path, content: bytes) -> None:
    """It is refused by name, and no change of ours writes over it."""
    path.parent.mkdir()
    path.write_bytes(content)

    for use in (
        lambda: key_file.read(path),
        lambda: key_file.is_open(Settings(), path),
        lambda: key_file.add("ann", Quota(), path),
        lambda: key_file.revoke("ann", path),
    ):
        with pytest.raises(KeyFileError, match=r"keys\.json .*nobody is let in"):
            use()
    assert path.read_bytes() == content


def test_a_folder_in_its_place(path: Path) -> None:
    """What cannot be read at all is as bad."""
    path.mkdir(parents=True)

    with pytest.raises(KeyFileError):
        key_file.read(path)


def test_changes_at_the_same_time_are_all_kept(path: Path) -> None:
    """None is written over by another, and who reads meanwhile sees a whole file."""
    names = [f"caller-{number}" for number in range(16)]
    threads = [threading.Thread(target=key_file.add, args=(name, Quota(), path)) for name in names]

    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        key_file.read(path)
    for thread in threads:
        thread.join()

    assert sorted(key.caller for key in key_file.read(path) or ()) == sorted(names)
    assert {file.name for file in path.parent.iterdir()} == {"keys.json", "keys.lock", "keys.closed"}


def test_a_first_key_that_cannot_be_written_closes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has it, so there has been none."""
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _no_space)
        with pytest.raises(OSError, match="No space"):
            key_file.add("ann", Quota(), path)

    assert key_file.is_open(Settings(), path)


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_copied_file_that_is_lost(path: Path, tmp_path: Path) -> None:
    """Where it has been read once, its loss opens nothing, though no key was ever made there."""
    key_file.add("ann", Quota(), path)
    copy = tmp_path / "another" / "keys.json"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    assert key_file.read(copy) == key_file.read(path)

    copy.unlink()

    with pytest.raises(KeyFileError, match="is gone"):
        key_file.read(copy)
    key_file.mark(copy).unlink()
    assert key_file.read(copy) is None


def test_a_mark_that_cannot_be_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys hold all the same."""
    made, _ = key_file.add("ann", Quota(), path)
    key_file.mark(path).unlink()
    monkeypatch.setattr(key_file, "mark", lambda _: Path("/dev/null/keys.closed"))

    assert key_file.read(path) == (made,)


def test_what_the_superuser_makes_is_the_owners_of_the_folder(path: Path) -> None:
    """So the service, which runs in his name, can read it; for others it is the same anyway."""
    path.parent.mkdir()
    if os.geteuid() == 0:
        os.chown(path.parent, 12345, 12345)
    owner = path.parent.stat().st_uid

    key_file.add("ann", Quota(), path)
    key_file.add("bob", Quota(), path)

    assert {file.name: file.stat().st_uid for file in path.parent.iterdir()} == dict.fromkeys(
        ("keys.json", "keys.lock", "keys.closed"), owner
    )
