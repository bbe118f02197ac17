"""URLs of Sentinels, taken apart."""

import re
from pathlib import Path

import pytest

from actors import settings
from actors.settings import SettingsError
from actors.store.sentinel_url import parse


def test_everything_that_it_may_say() -> None:
    """Hosts, ports, logins with any character, the database, and options, those of TLS for both."""
    address = parse(
        "rediss+sentinel://asr:p%40ss%2C%2F@a.example,b.example:5000,[::1]:26380/my%20master/3"
        "?ssl_ca_certs=/etc/ca.pem&sentinel_username=looks&sentinel_password=for%20it&socket_timeout=2"
    )

    tls = {"ssl": True, "ssl_ca_certs": "/etc/ca.pem"}
    assert address.hosts == [("a.example", 26379), ("b.example", 5000), ("::1", 26380)]
    assert address.master == "my master"
    assert address.options == {"username": "asr", "password": "p@ss,/", "db": 3, "socket_timeout": 2.0} | tls
    assert address.sentinel_options == {"username": "looks", "password": "for it"} | tls


def test_the_least_that_it_says() -> None:
    """A host and a master."""
    address = parse("redis+sentinel://host/master")

    assert (address.hosts, address.master, address.options) == ([("host", 26379)], "master", {"db": 0})
    assert set(address.sentinel_options.values()) == {None}


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://host",
        "redis+sentinel://host/",
        "redis+sentinel:///master",
        "redis+sentinel://host/master/one",
        "redis+sentinel://host/master?db=1",
        "sentinel://host/master",
    ],
)
def test_what_is_none(url: str) -> None:
    """It is refused as a setting."""
    with pytest.raises(SettingsError, match=re.escape("redis+sentinel://host,host/master")):
        settings.load({"ASR_REDIS_URL": url}, Path("none"))


@pytest.mark.parametrize("host", ["::1", "a,,b", "a:1:2", "asr:s3cret"])
def test_hosts_that_are_none(host: str) -> None:
    """They are refused and not repeated: what stands there may be a part of a password with a slash."""
    with pytest.raises(ValueError, match="a host of the URL is none") as refused:
        parse(f"redis+sentinel://{host}/master")

    assert "s3cret" not in str(refused.value)
