"""Where a checkout keeps what it makes while it runs."""

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from actors import life_sign
from actors.errors import StartupError
from actors.settings import STATE_DIR

#: The checkout; its processes carry it as `QUINTET_HOME`.
HOME: Final = STATE_DIR.parent

#: Gone when the service is stopped.
RUN_DIR: Final = STATE_DIR / "run"
LOG_DIR: Final = STATE_DIR / "logs"
REDIS_DIR: Final = STATE_DIR / "redis"

SUPERVISORD_CONF: Final = HOME / "deploy" / "supervisord.conf"
REDIS_CONF: Final = RUN_DIR / "redis.conf"

#: A socket's path may have 108 bytes, 104 on macOS, and supervisord binds one with its pid appended first.
LONGEST_SOCKET_BYTES: Final = 92


def socket_path(run_dir: Path = RUN_DIR) -> Path:
    """The control socket of supervisord: in the temporary folder where the checkout lies too deep."""
    inside = run_dir / "supervisor.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"quintet-{os.getuid()}-{digest}" / "supervisor.sock"


def redis_socket_path() -> Path:
    """The socket of the embedded Redis, beside that of supervisord."""
    return socket_path().with_name("redis.sock")


def make_folders() -> None:
    """Make what the processes write to, for this user alone.

    Raises:
        StartupError: one cannot be made, or belongs to someone else.
    """
    for folder in (RUN_DIR, life_sign.FOLDER, LOG_DIR, REDIS_DIR, socket_path().parent):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"{folder} cannot be made: {error.strerror}") from error
    found = socket_path().parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StartupError(f"{socket_path().parent} is not a folder of yours: remove it, or set TMPDIR")


def remove_run_folders() -> None:
    """Remove everything that only a running service needs."""
    for folder in (socket_path().parent, RUN_DIR):
        shutil.rmtree(folder, ignore_errors=True)
