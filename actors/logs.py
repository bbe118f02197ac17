"""Logs as events with fields: lines of JSON, or colours on a terminal. Never transcripts."""

import logging
import sys

import structlog
import structlog.tracebacks

from actors.settings import Settings

#: Dramatiq reports every message at debug, and shutting down at info; ours say more with less.
_QUIETER = {"dramatiq": logging.WARNING, "uvicorn.access": logging.WARNING, "httpx": logging.WARNING}


def configure(settings: Settings, process: str) -> None:
    """Send this process's log, and that of the libraries, to standard error."""

    def name_process(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        # Not a context variable: those of this thread are unknown to Dramatiq's.
        return {"process": process, **event}

    shared: list[structlog.types.Processor] = [
        name_process,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers()],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    for name, level in _QUIETER.items():
        logging.getLogger(name).setLevel(max(level, logging.getLogger().level))


def _renderers() -> list[structlog.types.Processor]:
    if sys.stderr.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    # Without local variables: among them are passwords and transcripts.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
