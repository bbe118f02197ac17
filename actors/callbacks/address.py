"""Which addresses a callback may reach: a client must not use the service to reach what only that can."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

#: All that is global of IPv6.
_UNICAST: Final = IPv6Network("2000::/3")

#: Gateways turn the last 32 bits of these into IPv4 (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")

#: IETF protocol assignments; Python takes parts of them for public.
_PROTOCOLS: Final = IPv4Network("192.0.0.0/24")

#: Azure's WireServer, which tells a machine its secrets: public by its number, but there only from within.
_WIRE_SERVER: Final = IPv4Address("168.63.129.16")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether everybody can reach the address; one with an IPv4 address in it is judged by that."""
    if isinstance(address, IPv4Address):
        within = address.is_multicast or address in _PROTOCOLS or address == _WIRE_SERVER
        return address.is_global and not within
    inner = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    return is_public(inner) if inner else address in _UNICAST and address.is_global


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, also written as of old, `127.1` or `0x7f000001`; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host))
        except OSError:
            return None


def resolve(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """All addresses of a host, the best first.

    Raises:
        OSError: it has none, or nobody can say.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(address[0]) for *_, address in found]
