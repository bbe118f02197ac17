"""One POST: to the address that was checked, under the name that was asked for, and never for long."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
import trustme

from actors.callbacks.post import Sender, Undelivered
from actors.callbacks.target import Target, parse
from tests.receiver import receiving

HERE = ip_address("127.0.0.1")

#: Nobody listens there, on any machine.
NOWHERE = ip_address("127.0.0.2")


def target(port: int, scheme: str = "http") -> Target:
    """A receiver whose name no resolver knows: who looks it up again fails."""
    return parse(f"{scheme}://receiver.invalid:{port}/a?b", private=False)


def test_to_the_address_under_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """No resolver and no proxy of the environment is asked, and the body comes as it was."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiving() as receiver:
        to = target(receiver.port)

        status = Sender(ssl.create_default_context()).post(to, lambda: [HERE], {"a": "b"}, b"{}")

    (received,) = receiver.received
    assert status == 200
    assert (received.path, received.body, received.headers["a"]) == ("/a?b", b"{}", "b")
    assert received.headers["host"] == f"receiver.invalid:{receiver.port}"


def test_encrypted_for_the_name() -> None:
    """The receiver is asked for by its name, and has to prove it, though an address is connected to."""
    authority = trustme.CA()
    trusting, serving = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(trusting)
    authority.issue_cert("receiver.invalid").configure_cert(serving)
    with receiving(serving) as receiver:
        to = target(receiver.port, "https")

        assert Sender(trusting).post(to, lambda: [HERE], {}, b"{}") == 200
        other = parse(f"https://other.invalid:{receiver.port}/", private=False)
        with pytest.raises(Undelivered, match="certificate verify failed"):
            Sender(trusting).post(other, lambda: [HERE], {}, b"{}")
        with pytest.raises(Undelivered, match="certificate verify failed"):
            Sender(ssl.create_default_context()).post(to, lambda: [HERE], {}, b"{}")

    assert receiver.named == ["receiver.invalid", "other.invalid", "receiver.invalid"]
    assert len(receiver.received) == 1


def test_a_dead_address_before_a_live_one() -> None:
    """The next one is tried, and all of them before it is given up."""
    with receiving() as receiver:
        sender = Sender(ssl.create_default_context())
        assert sender.post(target(receiver.port), lambda: [NOWHERE, HERE], {}, b"{}") == 200
        with pytest.raises(Undelivered, match="Connection refused"):
            sender.post(target(receiver.port), lambda: [NOWHERE], {}, b"{}")


def silence(_: socket.socket, gone: threading.Event) -> None:
    """Say nothing."""
    gone.wait(30)


def trickle(client: socket.socket, gone: threading.Event) -> None:
    """Send a header without an end, a byte at a time."""
    client.sendall(b"HTTP/1.1 200 OK\r\na: ")
    while not gone.wait(0.01):
        client.sendall(b"a")


def preliminaries(client: socket.socket, gone: threading.Event) -> None:
    """Announce an answer again and again."""
    while not gone.wait(0.01):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@contextmanager
def serving(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A server that does this to its first client; its port."""
    gone = threading.Event()

    def accept() -> None:
        client, _ = listener.accept()
        with client:
            try:
                serve(client, gone)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            gone.set()
            thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("serve", [silence, trickle, preliminaries])
def test_no_receiver_holds_us_up(
    serve: Callable[[socket.socket, threading.Event], None], scheme: str
) -> None:
    """Whatever it does, before or after the connection is encrypted: in time it is left."""
    with serving(serve) as port, pytest.raises(Undelivered) as error:
        Sender(ssl.create_default_context(), timeout_s=0.3).post(
            target(port, scheme), lambda: [HERE], {}, b"{}"
        )

    assert scheme == "https" or str(error.value) == "no answer within 0.3 s"


def test_no_resolver_holds_us_up() -> None:
    """One that does not answer is left in time, too; what it says afterwards is not acted on."""
    answered = threading.Event()

    def find() -> list[IPv4Address | IPv6Address]:
        answered.wait(30)
        return [HERE]

    with receiving() as receiver:
        sender = Sender(ssl.create_default_context(), timeout_s=0.3)
        with pytest.raises(Undelivered, match=r"no answer within 0\.3 s"):
            sender.post(target(receiver.port), find, {}, b"{}")
        answered.set()

    assert receiver.received == []


def test_one_deadline_for_all_of_it() -> None:
    """What the resolver has taken is not left to the receiver."""
    resolved = threading.Event()

    def find() -> list[IPv4Address | IPv6Address]:
        resolved.wait(1.5)
        return [HERE]

    began_s = time.monotonic()
    with serving(silence) as port, pytest.raises(Undelivered, match="no answer within 2 s"):
        Sender(ssl.create_default_context(), timeout_s=2).post(target(port), find, {}, b"{}")

    assert time.monotonic() - began_s < 3


def test_what_the_search_for_addresses_raises() -> None:
    """It is raised as it is."""

    def find() -> list[IPv4Address | IPv6Address]:
        raise LookupError("none that is public")

    with pytest.raises(LookupError, match="none that is public"):
        Sender(ssl.create_default_context()).post(target(1), find, {}, b"{}")


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000, b"HTTP/1.1 9 x\r\n\r\n"]
)
def test_no_http(said: bytes) -> None:
    """A server of anything else has not taken it, and what it says goes no further."""

    def serve(client: socket.socket, _: threading.Event) -> None:
        client.recv(1 << 16)
        client.sendall(said)

    with serving(serve) as port, pytest.raises(Undelivered) as error:
        Sender(ssl.create_default_context()).post(target(port), lambda: [HERE], {}, b"{}")

    assert "nonsense" not in str(error.value)
