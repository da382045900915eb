"""Log lines are events with fields, structlog's and plain logging's alike, in one pipeline that masks secrets,
signatures, payment methods and people's addresses.
"""

import json
import logging
import logging.config
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

MASK = "***"
MAX_DEPTH = 12
# What structlog itself sets.
OWN_FIELDS = frozenset({"timestamp", "level", "logger"})
SECRET_FIELDS = frozenset(
    {
        *(
            "api_key",
            "apikey",
            "secret",
            "secret_key",
            "client_secret",
            "confirmation_secret",
            "webhook_secret",
        ),
        *("authorization", "http_authorization", "proxy_authorization", "passwd", "password", "token", "jwt"),
        *("signature", "stripe_signature", "http_stripe_signature", "payment_method"),
        *("cookie", "set_cookie", "http_cookie", "sessionid", "csrftoken"),
    }
)

# What follows the public id in a refund's key is ours, and people search for it: `refund:<uuid>:staff:0:1`.
_SECRETS = re.compile(
    r"""
      (?P<whsec>whsec_)[\w+/=*-]+
    | (?P<key>\b(?:sk|rk|pk)_[a-z]+_)[\w*]+
    | (?P<client>_secret_)(?!key\b)\w+
    | (?P<method>\bpm_)\w+
    | (?P<card>\b(?:card|src|tok|ba)_)(?=[a-z_]*[0-9A-Z])\w+
    | (?P<jwt>\beyJ)[\w-]{6,}(?:\.[\w-]*)*
    | (?P<signature>\bv[01]=)[^\s,'"]+
    | (?P<registration>(?<!\brefund:)\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?::|%(?:25)*3[aA]))[\w-]+
    | (?P<signed>\b\d{1,19}(?::|%(?:25)*3[aA]))[\w-]{43}(?![\w-])
    | (?P<hosted>//(?:billing|checkout|invoice|pay)\.stripe\.com/)[^\s"'<>]+
    | (?P<service>\bmk_[\w-]{8}_)[\w-]+
    | (?P<bearer>\b[Bb]earer\s)\s*[\w.~+/=-]+
    | (?P<basic>\b[Bb]asic\s)\s*[\w+/=-]{12,}
    | (?P<url>://)[^\s/@'"]+:[^\s/@'"]*(?=@)
    | (?P<named>(?i:
        (?:\b(?:password|passwd|client_secret|authorization|signature|api_key|sessionid|jwt)|token)
        ["']?\s?(?:[=:]|%3d)\s?
      ))
      (?:"[^"]*"|'[^']*'|(?i:bearer\s|basic\s)?[^\s,;&)}\]]+)
    """,
    re.VERBOSE,
)
# What each of these forms begins with or contains: most texts have nothing of it, and are not looked at more closely.
_SUSPICIOUS = re.compile(r"[:=%/@]|whsec_|[srpm]k_|_secret_|pm_|card_|src_|tok_|ba_|eyJ|earer|asic")
# The local part is bounded: an unbounded one would take a time that grows with the square of a long word.
_EMAIL = re.compile(r"([\w.+%'-])[\w.+%'-]{0,63}(?:@|%40)(?:[\w-]{1,63}\.)+(\w{2,24})")
# Loggers that would tell strangers' business or drown ours, and the level from which on they are heard.
QUIET_LOGGERS = {
    "stripe": "WARNING",  # at DEBUG it prints whole answers of the API, with names and addresses
    "urllib3": "WARNING",
    "asyncio": "WARNING",
    "django.request": "ERROR",  # 4xx is what strangers do; the access line has its status
    **dict.fromkeys(
        (f"django.security.{kind}" for kind in ("DisallowedHost", "RequestDataTooBig", "TooManyFieldsSent")), "CRITICAL"
    ),
    "django.template": "INFO",  # at DEBUG the whole context where a name is missing: links and addresses
    "django.server": "WARNING",
    "django.db.backends": "INFO",  # at DEBUG every statement with its parameters
    "celery.worker.strategy": "WARNING",  # "received" and "succeeded", every few seconds for the sweep
    "celery.app.trace": "WARNING",
}

# Quiet too where the setting VERBOSE is off: they tell only that all goes its way.
ROUTINE_LOGGERS = {
    "celery.beat": "WARNING",  # a line for each tick of the timetable
}


def redact_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last step before rendering: whatever came in, from whichever library, leaves masked."""
    return {name: value if _is_plain(name, value) else redact_field(name, value) for name, value in event.items()}


def _is_plain(name: str, value: Any) -> bool:
    """What most fields are: nothing to mask, and nothing that would have to be spelled out."""
    if name in OWN_FIELDS:
        return True
    return type(value) is str and not _SUSPICIOUS.search(value) and not _is_secret(name)


# What every line gets, wherever it was written.
_COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


class EventFormatter(ProcessorFormatter):
    """structlog's, with a short way for what is logged most: an event without traceback, as JSON.

    The long way copies each record and makes an encoder for each line: two thirds of what a line costs.
    """

    encode = json.JSONEncoder(default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        if type(record.msg) is not dict or record.exc_info or record.stack_info or "exc_info" in record.msg:
            return super().format(record)
        return self.encode(redact_event(None, "", record.msg))


def formatter(*, log_format: str) -> logging.Formatter:
    """The formatter behind every handler: `json` for machines, `console` for people."""
    renderers: list[Processor] = [structlog.processors.JSONRenderer()]
    kind: type[ProcessorFormatter] = EventFormatter
    if log_format == "console":
        kind = ProcessorFormatter
        plain = structlog.dev.plain_traceback  # a rich one would print the values of variables
        renderers = [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    return kind(
        foreign_pre_chain=_COMMON,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact_event,
            *renderers,
        ],
    )


def logging_config(*, log_format: str, level: str, verbose: bool = True) -> None:
    """Set up logging for this process; it goes to stderr, so that a command's own output stays clean."""
    logging.config.dictConfig(_handlers(log_format=log_format, level=level, verbose=verbose))
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


def _handlers(*, log_format: str, level: str, verbose: bool) -> dict[str, Any]:
    quiet = QUIET_LOGGERS if verbose else QUIET_LOGGERS | ROUTINE_LOGGERS
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"events": {"()": formatter, "log_format": log_format}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "events"}},
        "loggers": {name: {"level": heard_from} for name, heard_from in quiet.items()},
        "root": {"handlers": ["stderr"], "level": level.upper()},
    }


def redact_text(text: str) -> str:
    """The text, masked wherever a form gives a secret away; an address keeps its first letter and its end."""
    if _SUSPICIOUS.search(text):
        text = _SECRETS.sub(_keep_the_prefix, text)
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(rf"\1{MASK}@{MASK}.\2", text)
    return text


def redact(value: Any, *, depth: int = 0) -> Any:
    """Any value, masked at any depth; what a renderer would spell out is spelled out here first."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {redact_text(str(key)): redact_field(key, item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth + 1) for item in value]
    return redact_text(repr(value) if isinstance(value, BaseException) else str(value))


def redact_field(name: object, value: Any, *, depth: int = 0) -> Any:
    """A named value: some names alone say that what they carry is nobody's business."""
    if value is None or isinstance(value, bool) or not _is_secret(str(name)):
        return redact(value, depth=depth)
    return MASK


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return name.lower().replace("-", "_") in SECRET_FIELDS


def _keep_the_prefix(match: re.Match[str]) -> str:
    """`whsec_abc` → `whsec_***`: what kind of secret it was helps whoever reads the line."""
    return f"{match[match.lastgroup or 0]}{MASK}"
