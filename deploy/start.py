"""`start`: check, start supervisord, bring everything up; all of it or nothing."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from actors import settings
from actors.access import key_file, tls
from actors.errors import StartupError
from actors.settings import STATE_DIR, Settings
from deploy import embedded_redis, given_redis, leftovers, paths, preflight, running, supervisor
from deploy.bring_up import bring_up
from deploy.progress import Progress
from deploy.running import Running
from deploy.stop import stop
from monitoring import rules


def start(console: Console) -> Running:
    """Start the service of this checkout if it does not run, and wait until it is ready.

    Raises:
        SettingsError, StartupError: it cannot; nothing is left running.
    """
    with one_at_a_time():
        known = running.read()
        if known and supervisor.Control().pid():
            where = f" at {known.url}" if known.url else ""
            console.print(
                f"Already running{where}; ./justw restart applies changed settings.", soft_wrap=True
            )
            return known
        config = settings.load()
        leftovers.end(leftovers.find())
        check(config)
        if "api" in config.runs:
            preflight.check_port(config.host, config.port)
        if config.redis_url:
            for doubt in given_redis.doubts(config):
                console.print(doubt, style="yellow", markup=False, soft_wrap=True)
            preflight.check_names(config)
        with _all_or_nothing(console):
            return _start(config, console)


def check(config: Settings) -> None:
    """Everything that must be right whether or not the service runs.

    Raises:
        StartupError: something is not; the message has the remedy.
    """
    if "segmenters" in config.runs:
        preflight.check_vad()
    if "instances" in config.runs:
        preflight.check_model(config.model)
        preflight.check_devices(config.devices)
    if "monitor" in config.runs:
        rules.load(config)
    if "api" in config.runs:
        key_file.read()
        tls.check(config)
    if config.redis_url:
        given_redis.check(config)


def _start(config: Settings, console: Console) -> Running:
    paths.make_folders()
    embedded = not config.redis_url
    server = embedded_redis.server_binary() if embedded else None
    service = running.describe(config, embedded_redis.configure() if embedded else config.redis_url)
    running.write(service)
    supervisor.launch(config, service, server)
    with Progress(console) as progress:
        bring_up(config, service, progress, embedded=embedded)
    return service


@contextmanager
def _all_or_nothing(console: Console) -> Iterator[None]:
    """Stop what was started if the rest cannot be, or if the user or the system wants an end."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except BaseException:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # impatience must not leave half of it running
        stop(console)
        raise


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second `start` wait for the first; the lock ends with the process, however that ends.

    Raises:
        StartupError: there is no place for it.
    """
    try:
        STATE_DIR.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(STATE_DIR, os.O_RDONLY)
    except OSError as error:
        raise StartupError(
            f"{STATE_DIR} cannot be made or opened ({error.strerror}): start it as the owner of this "
            "checkout, on a disk that can be written to."
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
