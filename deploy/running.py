"""What is known of the service that runs from this checkout, wherever its settings came from."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from actors.settings import Settings
from deploy.paths import RUN_DIR

RECORD: Final = RUN_DIR / "service.json"


class Running(Struct, frozen=True, kw_only=True):
    """The addresses of a started service, for its user alone: the URL of Redis has the password."""

    url: str
    redis_url: str
    instances: int


def describe(settings: Settings, redis_url: str) -> Running:
    """The service that these settings start."""
    return Running(
        url=local_url(settings.host, settings.port), redis_url=redis_url, instances=settings.instances
    )


def local_url(host: str, port: int) -> str:
    """How to reach, from this machine, a server that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- translated, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def write(running: Running, record: Path = RECORD) -> None:
    """Keep the record until the service is stopped."""
    record.unlink(missing_ok=True)
    record.touch(mode=0o600)
    record.write_bytes(msgspec.json.encode(running))


def read(record: Path = RECORD) -> Running | None:
    """The record of the running service, None where none was started."""
    try:
        return msgspec.json.decode(record.read_bytes(), type=Running)
    except FileNotFoundError:
        return None
