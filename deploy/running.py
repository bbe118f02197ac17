"""What is known of the service that runs from this checkout, wherever its settings came from."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from actors.access import secret, tls
from actors.names import node
from actors.settings import PARTS, Settings
from deploy.paths import RUN_DIR

RECORD: Final = RUN_DIR / "service.json"


class Running(Struct, frozen=True, kw_only=True):
    """What the recipes need to know of a started service, for its user alone: it holds secrets."""

    #: Where its API is; empty where this host has none.
    url: str
    redis_url: str
    instances: int
    #: What the names of its workers end with, where several hosts share a Redis.
    node: str = ""
    #: What runs here.
    parts: tuple[str, ...] = PARTS
    #: What the recipes show to be let in.
    key: str = ""
    #: The file with the certificate that it shows; empty without TLS.
    certificate: str = ""
    #: That certificate itself, as it was at the start: a renewal changes the file under the running API.
    shown: str = ""


def describe(settings: Settings, redis_url: str) -> Running:
    """The service that these settings start."""
    return Running(
        url=url_of(settings),
        redis_url=redis_url,
        instances=settings.instances,
        node=node(settings),
        parts=tuple(part for part in PARTS if part in settings.runs),
        key=secret.mint(),
        certificate=str(Path(settings.tls_cert).absolute()) if settings.tls_cert else "",
        shown=tls.first_of(Path(settings.tls_cert)) if settings.tls_cert else "",
    )


def url_of(settings: Settings) -> str:
    """How to reach, from this machine, the API of these settings; empty where they leave it to another."""
    if "api" not in settings.runs:
        return ""
    scheme = "https" if settings.tls_cert else "http"
    host = settings.host
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- translated, not bound
    return f"{scheme}://[{host}]:{settings.port}" if ":" in host else f"{scheme}://{host}:{settings.port}"


def write(running: Running, record: Path = RECORD) -> None:
    """Keep the record until the service is stopped."""
    beside = record.with_suffix(".new")  # so that whoever is killed here leaves one of the two, whole
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    beside.write_bytes(msgspec.json.encode(running))
    beside.replace(record)


def read(record: Path = RECORD) -> Running | None:
    """The record of the running service, None where none was started, or it was lost with the power."""
    try:
        return msgspec.json.decode(record.read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
