"""Whether certificates are believed."""

import socket
import ssl
import threading
from pathlib import Path


def shakes_hands(certificate: Path, key: Path, trust: ssl.SSLContext) -> bool:
    """Whether a client believes a server that shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ours, its = socket.socketpair()

    def serve() -> None:
        try:
            with context.wrap_socket(its, server_side=True) as served:
                served.recv(1)
        except OSError:
            pass

    server = threading.Thread(target=serve)
    server.start()
    try:
        with trust.wrap_socket(ours, server_hostname="127.0.0.1"):
            return True
    except ssl.SSLCertVerificationError:
        return False
    finally:
        ours.close()
        server.join()
