"""Log lines are events with fields, structlog's and plain logging's alike, in one pipeline that redacts."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from config.redact import redact_field

# Loggers that would tell strangers' business or drown ours, and the level from which on they are heard.
QUIET_LOGGERS = {
    "stripe": "WARNING",  # at DEBUG it prints whole answers of the API, with names and addresses
    "urllib3": "WARNING",
    "asyncio": "WARNING",
    "django.request": "ERROR",  # 4xx is what strangers do; the access line has its status
    "django.security.DisallowedHost": "CRITICAL",
    "django.server": "WARNING",
    "django.db.backends": "INFO",  # at DEBUG every statement with its parameters
    "celery.worker.strategy": "WARNING",  # "received" and "succeeded", every few seconds for the sweep
    "celery.app.trace": "WARNING",
}


def redact_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last step before rendering: whatever came in, from whichever library, leaves masked."""
    return {name: redact_field(name, value) for name, value in event.items()}


# What every line gets, wherever it was written.
_COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def formatter(*, log_format: str) -> logging.Formatter:
    """The formatter behind every handler: `json` for machines, `console` for people."""
    renderers: list[Processor] = [structlog.processors.JSONRenderer()]
    if log_format == "console":
        plain = structlog.dev.plain_traceback  # a rich one would print the values of variables
        renderers = [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    return ProcessorFormatter(
        foreign_pre_chain=_COMMON,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact_event,
            *renderers,
        ],
    )


def logging_config(*, log_format: str, level: str) -> None:
    """Set up logging for this process; it goes to stderr, so that a command's own output stays clean."""
    logging.config.dictConfig(_handlers(log_format=log_format, level=level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _handlers(*, log_format: str, level: str) -> dict[str, Any]:
    loggers: MutableMapping[str, Any] = {name: {"level": quiet} for name, quiet in QUIET_LOGGERS.items()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"events": {"()": formatter, "log_format": log_format}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "events"}},
        "loggers": loggers,
        "root": {"handlers": ["stderr"], "level": level.upper()},
    }
