"""Who calls: where there are keys whoever has one of them, else everyone, as one."""

import hmac
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, TypeVar

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard
from msgspec import Struct

from actors.access.key_file import KEY_FILE, KeyFileError, StoredKey
from actors.access.secret import digest, id_of
from actors.settings import Settings
from actors.store.limits import Quota
from api.errors import NoKey
from api.stored_keys import StoredKeys

T = TypeVar("T")


class Caller(Struct, frozen=True):
    """Whose jobs they are, and how much the key that was sent allows."""

    name: str
    quota: Quota = Quota()


#: The caller where nobody has to say who it is.
EVERYONE: Final = Caller("")

#: The recipes on the machine of the service. Like the one below it has a name that no key can be given.
OPERATOR: Final = Caller("@operator")

#: Who asks, without a key, for what is public where there are keys; it has no jobs.
NOBODY: Final = Caller("@nobody")

#: How the OpenAPI document calls the key, and that it is only needed where there are some.
SCHEME: Final = "key"
SECURITY: Final[list[dict[str, list[str]]]] = [{SCHEME: []}, {}]

_BEARER: Final = "bearer"

Connection = ASGIConnection[Any, Any, Any, State]


class Callers:
    """The callers that the operator has given keys to, in `ASR_API_KEYS` or with `./justw keys add`."""

    def __init__(self, settings: Settings, operator: str = "", key_file: Path = KEY_FILE) -> None:
        """Read the keys; `operator` is the hash of the key that the recipes of this machine have.

        Raises:
            KeyFileError: the key file cannot be read.
        """
        given = settings.given_keys
        self._given = {digest(key): Caller(name or f"key-{id_of(digest(key))}") for name, key in given}
        if operator:
            self._given[operator] = OPERATOR
        self._named = bool(given)
        self._stored = StoredKeys(key_file)
        self._public = settings.shown

    @property
    def is_open(self) -> bool:
        """Whether nobody needs a key."""
        try:
            return not self._asks(self._stored.read())
        except KeyFileError:
            return False

    def is_public(self, what: str) -> bool:
        """Whether something is shown without a key, though one is needed for the rest."""
        return what in self._public

    def identify(self, authorization: str | None) -> Caller:
        """The caller who sends this `Authorization` header; two keys of a name are one caller.

        Raises:
            NoKey: 401.
            KeyFileError: nobody can say.
        """
        stored = self._stored.read()
        if not self._asks(stored):
            return EVERYONE
        key = _bearer(authorization)
        if not key:
            raise NoKey("an API key is needed: send the header `Authorization: Bearer KEY`")
        sent = digest(key)
        found = [caller for sha256, caller in self._given.items() if hmac.compare_digest(sha256, sent)]
        found += [
            Caller(one.caller, one.quota) for one in stored or () if hmac.compare_digest(one.sha256, sent)
        ]
        if not found:
            raise NoKey("the API key is not known here")
        return found[0]

    def _asks(self, stored: tuple[StoredKey, ...] | None) -> bool:
        return self._named or stored is not None


def _bearer(authorization: str | None) -> str | None:
    """The key that is sent; None where none is meant to be, as what a proxy lets in is for the proxy."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    return key.strip() if scheme.lower() == _BEARER else None


async def known_caller(connection: Connection, _: BaseRouteHandler) -> None:
    """Let only known callers through, before anything of the body is read.

    Raises:
        NoKey: 401.
        KeyFileError: 503.
    """
    connection.state.caller = identified(connection)


def unless_public(what: str) -> Guard:
    """A guard that lets known callers through and, where the operator allows it, those who send no key."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        callers = callers_of(connection)
        keyless = _bearer(connection.headers.get("authorization")) is None
        shown = keyless and callers.is_public(what) and not callers.is_open
        connection.state.caller = NOBODY if shown else identified(connection)

    return guard


def identified(connection: Connection) -> Caller:
    """The caller, by the key that it has sent.

    Raises:
        NoKey: 401.
        KeyFileError: 503.
    """
    return callers_of(connection).identify(connection.headers.get("authorization"))


def is_known(connection: Connection) -> bool:
    """Whether who asks is let in."""
    try:
        identified(connection)
    except (NoKey, KeyFileError):
        return False
    return True


def caller_of(connection: Connection) -> Caller:
    """The caller that was let through."""
    caller: Caller = connection.state.caller
    return caller


def callers_of(connection: Connection) -> Callers:
    """All of them."""
    callers: Callers = connection.app.state.callers
    return callers


async def while_known(connection: Connection, events: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """A stream, which ends when the key that opened it is revoked."""
    async with aclosing(events):
        async for event in events:
            if not is_known(connection):
                return
            yield event
