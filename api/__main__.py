"""The API process: `python -m api`."""

import sys

import uvicorn

from actors import logs, settings
from actors.errors import StartupError
from api.app import create_app


def main() -> None:
    """Serve until told to stop; requests in flight get a few seconds to end."""
    config = settings.load()
    logs.configure(config, "api")
    uvicorn.run(
        create_app(config),
        host=config.host,
        port=config.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    try:
        main()
    except (StartupError, settings.SettingsError) as error:
        sys.exit(f"api cannot start: {error}")
