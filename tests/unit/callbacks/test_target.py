"""What can be said against a URL is said when it is handed in."""

import pytest

from actors.callbacks.target import MAX_CHARS, Target, origin, parse, receiver
from actors.errors import BadOption


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target(True, "example.org", 443, "example.org", "/")),
        ("http://Example.org./a?b=c#d", Target(False, "example.org.", 80, "Example.org.", "/a?b=c")),
        ("https://8.8.8.8:8443/a%20b", Target(True, "8.8.8.8", 8443, "8.8.8.8:8443", "/a%20b")),
        (
            "http://[2606:4700::1111]:81?q",
            Target(False, "2606:4700::1111", 81, "[2606:4700::1111]:81", "/?q"),
        ),
        ("http://my_host-1:5000/", Target(False, "my_host-1", 5000, "my_host-1:5000", "/")),
    ],
)
def test_taken_apart(url: str, target: Target) -> None:
    """What is connected to, and what is sent, come from one reading of the URL."""
    assert parse(url, private=False) == target


@pytest.mark.parametrize(
    "url",
    [
        "x",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http:///a",
        "http://user@example.org/",
        "https://user:word@example.org/",
        "https://8.8.8.8\\@10.0.0.1/",
        "https://8.8.8.8 .example/",
        "https://example.org/\r\nHost: other",
        "https://exa\tmple.org/",
        "https://münchen.example/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:http/",
        "https://example.org:/",
        "https://a..example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 127}example/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://[::1]x/",
        "https://[fe80::1%25eth0]/",
        f"https://example.org/{'a' * MAX_CHARS}",
    ],
)
@pytest.mark.parametrize("private", [False, True])
def test_no_url_for_us(url: str, private: bool) -> None:  # noqa: FBT001
    """Refused in either case, by the name of the field."""
    with pytest.raises(BadOption, match=r"^callback: (?!.*callback)"):
        parse(url, private=private)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://LOCALHOST.:5002/",
        "http://a.localhost/",
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00:ec2::254]/",
        "http://10.0.0.1/",
    ],
)
def test_what_is_not_public(url: str) -> None:
    """Only where the operator allows it."""
    with pytest.raises(BadOption, match="is not public"):
        parse(url, private=False)

    assert parse(url, private=True).port in {80, 5002}


def test_the_longest() -> None:
    """The limit is the last length that is allowed."""
    assert parse("https://example.org/".ljust(MAX_CHARS, "a"), private=False)


def test_what_is_shown_of_it() -> None:
    """Neither path nor query: both may hold secrets."""
    assert origin("https://example.org:8443/hooks/s3cret?token=s3cret") == "https://example.org:8443"


@pytest.mark.parametrize(
    "url", ["https://Example.org/a", "https://example.org.:443/b?c", "HTTPS://example.org"]
)
def test_the_same_receiver(url: str) -> None:
    """However it is written."""
    assert receiver(url) == ("https", "example.org", 443)


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://example.org:444/", "https://www.example.org/"]
)
def test_another_receiver(url: str) -> None:
    """Another scheme, port or name."""
    assert receiver(url) != receiver("https://example.org/")
