"""Logs as events with fields: lines of JSON, or colours on a terminal. Never transcripts.

Each event goes to standard error and to the stream in Redis that all processes share (`log_shipper.py`);
`docs/logs.md` lists the events.
"""

import logging
import sys
from typing import Final

import structlog
import structlog.tracebacks

from actors.log_shipper import OURS, LogShipper
from actors.log_shortening import shorten
from actors.names import host
from actors.settings import Settings
from actors.store.connection import unrepeated

#: Dramatiq reports every message at debug, and shutting down at info; ours say more with less.
_QUIETER: Final = {"dramatiq": logging.WARNING, "uvicorn.access": logging.WARNING, "httpx": logging.WARNING}


def configure(settings: Settings, process: str) -> None:
    """Send this process's log, and that of the libraries, to standard error and to Redis, if one is named."""

    def name_process(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        # Not a context variable: those of this thread are unknown to Dramatiq's.
        return {"process": process, **event}

    def name_host(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        return {"host": host(settings), **event}

    shared: list[structlog.types.Processor] = [
        name_process,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        # Its methods below the level do nothing at all: that is what an event costs that is not wanted.
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: logging.getLogger(OURS),
        cache_logger_on_first_use=True,
    )

    def formatter(*renderers: structlog.types.Processor) -> logging.Formatter:
        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )

    handlers: list[logging.Handler] = [logging.StreamHandler()]
    handlers[0].setFormatter(formatter(*_renderers()))
    if settings.redis_url:
        handlers.append(LogShipper(unrepeated(settings)))
        handlers[1].setFormatter(formatter(name_host, shorten, structlog.processors.JSONRenderer()))
    # At debug libraries may show what was sent.
    logging.basicConfig(handlers=handlers, level=max(level, logging.INFO), force=True)
    logging.getLogger(OURS).setLevel(level)
    for name, quieter in _QUIETER.items():
        logging.getLogger(name).setLevel(max(quieter, level))


def _renderers() -> list[structlog.types.Processor]:
    if sys.stderr.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    # Without local variables: among them are passwords and transcripts.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
