"""A receiver of callbacks: a real HTTP server that answers as the test tells it to."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from msgspec import Struct
from typing_extensions import override

#: "whsec_" and 32 bytes.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


class Received(Struct, frozen=True):
    """A request as it came in; the names of its headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Takes every POST, and answers what `answer` says, 200 unless a test changes it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.answer: Callable[[Received], int] = lambda _: 200
        self.named: list[str | None] = []
        if tls:
            tls.sni_callback = lambda _, name, __: self.named.append(name)
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_port

    @property
    def url(self) -> str:
        """The URL to hand in, with a query that must not be seen anywhere."""
        return f"http://127.0.0.1:{self.port}/heard?token=s3cret"

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take it in, then answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body)
        receiver = cast("Receiver", self.server)
        receiver.received.append(received)
        status = receiver.answer(received)
        self.send_response(status)
        if status in range(300, 400):
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"ok" * 100_000)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing needs to be said."""


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens."""
    with Receiver(tls) as receiver:
        listening = threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True)
        listening.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            listening.join()
