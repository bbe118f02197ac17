"""Becomes the embedded Redis, and mends its file before: `python -m deploy.redis_server SERVER CONF`."""

import os
import sys

from deploy.append_only import mend
from deploy.paths import REDIS_DIR


def main() -> None:
    """Mend what a full disk may have left, and become the server."""
    server, conf = sys.argv[1:]
    for file in REDIS_DIR.glob("appendonlydir/*.incr.aof"):
        if holes := mend(file):
            print(f"{file.name}: {holes} holes taken out that a full disk has left", flush=True)
    os.execv(server, [server, conf])  # noqa: S606 - it is the one that `start` has found


if __name__ == "__main__":
    main()
