"""One POST to an address that has been checked, with an end whatever the receiver does."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from msgspec import Struct
from typing_extensions import override

from actors.callbacks.target import Target
from actors.callbacks.within import within

#: For all of it: to find the addresses, to connect, to send, and to hear the status.
TIMEOUT_S: Final = 10.0

#: For one address, and how many of them: where one is dead the next may answer.
CONNECT_TIMEOUT_S: Final = 3.0
_ADDRESSES_TRIED: Final = 3


class Undelivered(Exception):
    """The receiver has not taken it; it may the next time."""


class _Connection(http.client.HTTPConnection):
    """Goes where it is told to, whatever the name of the host means by now; no proxy is asked."""

    def __init__(
        self,
        target: Target,
        addresses: Sequence[IPv4Address | IPv6Address],
        tls: ssl.SSLContext,
        ends_s: float,
    ) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._addresses = addresses
        self._tls = tls
        self._ends_s = ends_s
        self.aborted = False

    @override
    def connect(self) -> None:
        self._use(self._reach())
        if self._target.secure:
            name = self._target.host.removesuffix(".")
            secured = self._tls.wrap_socket(self.sock, server_hostname=name, do_handshake_on_connect=False)
            self._use(secured)
            secured.do_handshake()

    def post(self, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body; the status of the answer."""
        self.request("POST", self._target.path, body, {"Host": self._target.authority, **headers})
        status = self.getresponse().status
        if self.aborted:  # which looks like the end of the headers
            raise TimeoutError
        return status

    def abort(self) -> None:
        """End it from another thread, in the middle of whatever it does."""
        self.aborted = True
        if self.sock:
            with contextlib.suppress(OSError):
                # Not the method of an encrypted one, which is for its own thread only.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _use(self, sock: socket.socket) -> None:
        self.sock = sock
        if self.aborted:
            raise TimeoutError

    def _reach(self) -> socket.socket:
        failure = OSError("the host has no address")
        for address in self._addresses[:_ADDRESSES_TRIED]:
            left_s = self._ends_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            try:
                reached = socket.create_connection(
                    (str(address), self._target.port), min(CONNECT_TIMEOUT_S, left_s)
                )
            except OSError as error:
                failure = error
            else:
                reached.settimeout(TIMEOUT_S)
                return reached
        raise failure


class Sender(Struct, frozen=True):
    """Sends requests, encrypted ones as `tls` has it."""

    tls: ssl.SSLContext
    timeout_s: float = TIMEOUT_S

    def post(
        self,
        target: Target,
        find: Callable[[], Sequence[IPv4Address | IPv6Address]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> int:
        """Send a body to the first of the addresses found that can be reached; the status of the answer.

        What else the answer says is not read; what `find` raises is raised.

        Raises:
            Undelivered: there is no answer within `timeout_s`.
        """
        ends_s = time.monotonic() + self.timeout_s
        try:
            connection = _Connection(target, within(self.timeout_s, find), self.tls, ends_s)
            return _post(connection, headers, body, ends_s - time.monotonic())
        except (OSError, http.client.HTTPException) as error:
            late = f"no answer within {self.timeout_s:g} s"
            raise Undelivered(late if time.monotonic() >= ends_s else _reason(error)) from error


def _post(connection: _Connection, headers: Mapping[str, str], body: bytes, timeout_s: float) -> int:
    deadline = threading.Timer(timeout_s, connection.abort)
    deadline.start()
    try:
        return connection.post(headers, body)
    finally:
        deadline.cancel()
        connection.close()


def _reason(error: OSError | http.client.HTTPException) -> str:
    """What went wrong, but nothing of what was answered: it may be meant for nobody outside."""
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"no answer in HTTP ({type(error).__name__})"
