"""Which web pages may ask the service by way of a browser: its own.

A page from anywhere can have its visitors' browsers send a form to http://127.0.0.1:5002, where nobody may
need a key; and one whose name its owner makes lead to 127.0.0.1 from then on (DNS rebinding) can read the
answers as well. The first is refused with keys, too: what is not offered to other origins need not be taken
from them.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from litestar.handlers import BaseRouteHandler

from actors.settings import Settings
from api.callers import Connection, callers_of
from api.errors import ForeignPage, UnknownName, shortened

_SAFE: Final = {"GET"}


class Names:
    """The names that the service may be called by."""

    def __init__(self, settings: Settings) -> None:
        # In a container it listens on all addresses, and may yet be published on its machine only.
        self._any = settings.names == "*" or not (settings.names or _is_loopback(settings.host))
        self._names = {settings.host.lower(), *filter(None, settings.names.lower().split(","))}

    def has(self, host: str) -> bool:
        """Whether a `Host` header names it: nobody from outside makes an address or `localhost` lead here."""
        if self._any or not host:
            return True
        name = _name_of(host)
        return name in self._names or name.endswith(".localhost") or _is_address(name) or name == "localhost"


async def own_page(connection: Connection, _: BaseRouteHandler) -> None:
    """Let through what a page of ours asks, or no page at all, as far as the browser tells.

    Raises:
        ForeignPage: 403.
    """
    headers = connection.headers
    site = headers.get("sec-fetch-site")
    if site is None:  # an old browser, or one that was not led here by https or on its own machine
        origin = headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2] != headers.get("host", "")
    else:
        # Whoever follows a link reads the answer himself.
        follows = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        foreign = site not in {"same-origin", "none"} and not (
            follows and connection.scope.get("method") in _SAFE
        )
    if foreign:
        raise ForeignPage


async def own_name(connection: Connection, _: BaseRouteHandler) -> None:
    """Let through who calls the service by a name of its own, where it is open to all that reach it.

    Raises:
        UnknownName: 403.
    """
    host = connection.headers.get("host", "")
    names: Names = connection.app.state.names
    if not names.has(host) and callers_of(connection).is_open:
        raise UnknownName(shortened(host))


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    """Whether who listens at this host, however it is spelled, is reached from this machine only."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return True  # nobody can listen there
    return all(_unmapped(str(address[0])).is_loopback for *_, address in found)


def _unmapped(address: str) -> IPv4Address | IPv6Address:
    found = ip_address(address)
    return (found.ipv4_mapped if isinstance(found, IPv6Address) else None) or found
