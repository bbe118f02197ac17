"""URLs that name Sentinels; redis-py has none.

They have the form that other Python programs use:

    redis+sentinel://[user:password@]host[:port][,host[:port]…]/master[/database][?option=value…]

`rediss+sentinel` speaks TLS to Redis and to the Sentinels. Options are those of redis-py's URLs; what the
Sentinels ask for is in `sentinel_username` and `sentinel_password`.
"""

import re
from typing import Any, Final
from urllib.parse import unquote

from msgspec import Struct
from redis.connection import parse_url

URL: Final = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<login>[^@/]*)@)?(?P<hosts>[^@/?]+)"
    r"/(?P<master>[^/?]+)(?:/(?P<database>\d*))?(?:\?(?P<query>.*))?"
)

#: A host by name or address, an IPv6 one in brackets, and its port.
_HOST: Final = re.compile(r"(?P<name>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>\d+))?")

DEFAULT_PORT: Final = 26379

#: What a URL calls the login at the Sentinels.
_SENTINEL_LOGIN: Final = ("username", "password")


class Address(Struct, frozen=True, kw_only=True):
    """A URL taken apart."""

    hosts: list[tuple[str, int]]
    master: str
    #: How to connect to Redis, and how to the Sentinels, as redis-py's clients call it.
    options: dict[str, Any]
    sentinel_options: dict[str, Any]


def is_sentinel(url: str) -> bool:
    """Whether a URL names Sentinels."""
    return url.startswith(("redis+sentinel://", "rediss+sentinel://"))


def parse(url: str) -> Address:
    """Take a URL apart.

    Raises:
        ValueError: it is none, or an option has a bad value.
    """
    parts = _matched(url)
    login = f"{parts['login']}@" if parts["login"] else ""
    options = parse_url(f"{parts['scheme']}://{login}host/{parts['database'] or 0}?{parts['query'] or ''}")
    del options["host"]
    asked = {name: options.pop(f"sentinel_{name}", None) for name in _SENTINEL_LOGIN}
    if options.pop("connection_class", None):
        options["ssl"] = True
        asked |= {name: value for name, value in options.items() if name.startswith("ssl")}
    return Address(
        hosts=[_host(text) for text in parts["hosts"].split(",")],
        master=unquote(parts["master"]),
        options=options,
        sentinel_options=asked,
    )


def database_after(url: str) -> str:
    """The URL of the database after that of a URL."""
    parts = _matched(url)
    query = f"?{parts['query']}" if parts["query"] else ""
    return f"{url[: parts.end('master')]}/{int(parts['database'] or 0) + 1}{query}"


def _matched(url: str) -> re.Match[str]:
    found = URL.fullmatch(url)
    if not found:
        raise ValueError("this is no URL of Sentinels: redis+sentinel://host,host/master")
    return found


def _host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if not found:  # it may be a part of a password with a / in it, so it is not repeated
        raise ValueError("a host of the URL is none: it is a name, name:port, or [IPv6]:port")
    return found["name"].strip("[]"), int(found["port"] or DEFAULT_PORT)
