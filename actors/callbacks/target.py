"""The URL of a callback, taken apart, and what can be said against it without a look at the network."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from actors.callbacks.address import is_public, literal
from actors.errors import BadOption

MAX_CHARS: Final = 2000

#: What RFC 3986 lets a URL consist of; any other character is one that two parsers may read differently.
_URL: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")

#: An IPv6 address in brackets or a name, and maybe a port.
_AUTHORITY: Final = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|((?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?))(?::([0-9]{1,5}))?"
)
_NAME_CHARS: Final = 253

_PORTS: Final = {"http": 80, "https": 443}
_PORTS_END: Final = 1 << 16


class Target(Struct, frozen=True):
    """Where a callback is sent."""

    secure: bool
    #: A name, or an address without brackets.
    host: str
    port: int
    #: Host and port as the URL has them.
    authority: str
    #: Path and query.
    path: str


def parse(url: str, *, private: bool) -> Target:
    """Take a URL apart; `private` says whether it may lead to what is not public.

    Raises:
        BadOption: it is none, or one that is not allowed.
    """
    if len(url) > MAX_CHARS:
        raise BadOption("callback", f"a URL of more than {MAX_CHARS} characters")
    if not _URL.fullmatch(url):
        raise BadOption("callback", "not a URL: other characters than those of RFC 3986 are written as %xx")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadOption("callback", f"not a URL: {error}") from None
    target = _target(parts)
    if not private and not _may_be_public(target.host):
        raise BadOption("callback", f"{target.host} is not public; ASR_CALLBACK_PRIVATE would allow it")
    return target


def origin(url: str) -> str:
    """What may be shown of such a URL: its path and query may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def receiver(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, however the URL of a callback writes them."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").removesuffix("."), parts.port or _PORTS.get(parts.scheme, 0)


def _target(parts: SplitResult) -> Target:
    if parts.scheme not in _PORTS:
        raise BadOption("callback", "not a URL with http:// or https://")
    if "@" in parts.netloc:
        raise BadOption("callback", "a URL with a user name or password is not supported")
    found = _AUTHORITY.fullmatch(parts.netloc)
    host = (found[1] or found[2]).lower() if found else ""
    port = int(found[3]) if found and found[3] else _PORTS[parts.scheme]
    if not 0 < len(host) <= _NAME_CHARS or not 0 < port < _PORTS_END:
        raise BadOption("callback", "a URL without a proper host and port")
    path = parts.path or "/"
    return Target(
        secure=parts.scheme == "https",
        host=host,
        port=port,
        authority=parts.netloc,
        path=f"{path}?{parts.query}" if parts.query else path,
    )


def _may_be_public(host: str) -> bool:
    name = host.removesuffix(".")
    address = literal(name)
    if address is not None:
        return is_public(address)
    return name != "localhost" and not name.endswith(".localhost")
