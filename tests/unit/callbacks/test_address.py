"""Callbacks reach what everybody can reach, and nothing else."""

from ipaddress import ip_address

import pytest

from actors.callbacks.address import is_public, literal, resolve


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "2002:808:808::1",
        "64:ff9b::808:808",
    ],
)
def test_public(address: str) -> None:
    """IPv4 and IPv6, and the one within the other."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:168.63.129.16",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:0:808:808::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_not_public(address: str) -> None:
    """Loopback, networks within, metadata services, groups, and what a gateway turns into these."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0x7f000001"])
def test_every_way_to_write_an_address(host: str) -> None:
    """What resolvers read as loopback is seen to be loopback."""
    assert literal(host) == ip_address("127.0.0.1")
    assert set(resolve(host, 80)) == {ip_address("127.0.0.1")}


@pytest.mark.parametrize("host", ["localhost", "example.org", "1.2.3.4.example", "0x7f.example"])
def test_a_name_is_no_address(host: str) -> None:
    """It has to be looked up."""
    assert literal(host) is None


def test_a_name_leads_to_all_its_addresses() -> None:
    """As the system knows them, without asking anybody for this one."""
    assert ip_address("127.0.0.1") in resolve("localhost", 80)
