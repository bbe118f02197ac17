"""Who calls: with `ASR_API_KEYS` set, whoever has one of these keys; else everyone, as one."""

import hashlib
import hmac
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from actors.settings import Settings
from api.errors import NoKey

#: The caller where nobody has to say who it is.
EVERYONE: Final = ""

#: How the OpenAPI document calls the key, and that it is only needed where there are some.
SCHEME: Final = "key"
SECURITY: Final[list[dict[str, list[str]]]] = [{SCHEME: []}, {}]

_BEARER: Final = "bearer"

Connection = ASGIConnection[Any, Any, Any, State]


class Callers:
    """The callers that the operator has given keys to; of the keys only hashes are kept."""

    def __init__(self, settings: Settings) -> None:
        given = [item.rpartition(":") for item in settings.api_keys.split(",") if item]
        self._names = {_digest(key): name or f"key-{_digest(key)[:8]}" for name, _, key in given}

    def identify(self, authorization: str | None) -> str:
        """The name of the caller who sends this `Authorization` header; two keys of a name are one caller.

        Raises:
            NoKey: 401.
        """
        if not self._names:
            return EVERYONE
        scheme, _, key = (authorization or "").strip().partition(" ")
        if scheme.lower() != _BEARER or not key:
            raise NoKey("an API key is needed: send the header `Authorization: Bearer KEY`")
        digest = _digest(key.strip())
        found = [name for known, name in self._names.items() if hmac.compare_digest(known, digest)]
        if not found:
            raise NoKey("the API key is not known here")
        return found[0]


async def known_caller(connection: Connection, _: BaseRouteHandler) -> None:
    """Let only known callers through, before anything of the body is read.

    Raises:
        NoKey: 401.
    """
    callers: Callers = connection.app.state.callers
    connection.state.caller = callers.identify(connection.headers.get("authorization"))


def caller_of(connection: Connection) -> str:
    """The name of the caller that was let through."""
    name: str = connection.state.caller
    return name


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
