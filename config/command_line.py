"""What every command line has in common: a sentence instead of a traceback where the reason is outside the code."""

import sys
from argparse import ArgumentTypeError
from uuid import uuid4

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError
from structlog.contextvars import bind_contextvars

# Classes of SQLSTATE: no connection, no such user or password, shut down or starting up.
UNREACHABLE_CLASSES = ("08", "28", "57P")


def manage(arguments: list[str]) -> None:
    """Run Django's command line; `--traceback` shows where a refusal comes from. Its log lines have one request id."""
    bind_contextvars(request_id=uuid4().hex)
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, OperationalError) as error:
        sentence = why_refused(error)
        if not sentence or "--traceback" in arguments:
            raise
        sys.exit(sentence)


def why_refused(error: Exception) -> str:
    """What whoever runs the program can put right: a setting, a database that is not there; "" for anything else."""
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    cause = error.__cause__
    if not isinstance(cause, psycopg.OperationalError):
        return ""
    # A server that was never reached has given no state.
    is_unreachable = cause.sqlstate is None or cause.sqlstate.startswith(UNREACHABLE_CLASSES)
    return f"The database cannot be used: {' '.join(str(error).split())}" if is_unreachable else ""


def at_least_one(text: str) -> int:
    """A count from the command line; argparse says what is wrong with any other word."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number from 1 up")
    return int(text)
