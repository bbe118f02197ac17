"""The API process: `python -m api`."""

import os
import signal
import socket
import sys

import uvicorn
from litestar import Litestar
from typing_extensions import override

from actors import clock_follower, logs, settings
from actors.access import tls
from actors.access.operator_key import OPERATOR_KEY
from actors.errors import StartupError
from actors.flusher import Flusher
from api.app import create_app
from api.callers import Callers
from api.divided import Divided
from api.hardened import Hardened
from api.headers_only import HeadersOnly
from api.logged import Logged
from api.measured import Measured
from api.slow_clients import ImpatientProtocol


class Server(uvicorn.Server):
    """Ends the streams of events before it waits for the requests in flight: their clients come again."""

    def __init__(self, app: Litestar, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if "recognizer" in self._app.state:
            self._app.state.recognizer.listener.close()
            self._app.state.log_listener.close()
        await super().shutdown(sockets)


def main() -> None:
    """Serve until told to stop; requests in flight get a few seconds to end."""
    config = settings.load()
    logs.configure(config, "api")
    clock_follower.follow(config)
    tls.check(config)
    app = create_app(config, Callers(config, os.environ.get(OPERATOR_KEY, "")))
    server = Server(
        app,
        uvicorn.Config(
            HeadersOnly(Logged(Measured(Hardened(Divided(app))))),
            host=config.host,
            port=config.port,
            http=ImpatientProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=config.tls_cert or None,
            ssl_keyfile=config.tls_key or None,
            timeout_graceful_shutdown=20,
        ),
    )
    # Having ended in order, uvicorn sends itself the signal again: what is behind it is to be done, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with Flusher.of(config):
        server.run()
    if not server.started:
        sys.exit("api cannot start: the log has the reason")


if __name__ == "__main__":
    try:
        main()
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"api cannot start: {error}")
