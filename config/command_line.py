"""What every command line has in common: a sentence instead of a traceback where the reason is outside the code."""

import gc
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import NoReturn
from uuid import uuid4

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.core.management.base import CommandError, CommandParser, handle_default_options
from django.db import OperationalError, connection
from django.utils.dateparse import parse_date
from django.utils.timezone import get_default_timezone, localdate
from django.utils.translation import activate
from structlog.contextvars import bind_contextvars

# Classes of SQLSTATE: no connection, no such user or password, no such database, shut down or starting up.
UNREACHABLE_CLASSES = ("08", "28", "3D", "57P")


def manage(arguments: list[str]) -> None:
    """Run Django's command line, in English as its help is; `--traceback` shows where a refusal comes from.

    Its log lines have one request id.
    """
    bind_contextvars(request_id=uuid4().hex)
    if "--traceback" in arguments:
        _execute(arguments)
        return
    with sentence_instead_of_traceback():
        _execute(arguments)


def _execute(arguments: list[str]) -> None:
    parser = CommandParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    parser.add_argument("--pythonpath")
    handle_default_options(parser.parse_known_args(arguments[1:])[0])
    # What is loaded stays to the end. To look through it as garbage, again and again and once more when the process
    # ends, would take half of a short command's time.
    gc.disable()
    django.setup()
    gc.freeze()
    gc.enable()
    activate("en")
    execute_from_command_line(arguments)


@contextmanager
def sentence_instead_of_traceback(*, code: int = 1) -> Iterator[None]:
    """End the process with this code and one sentence where the reason is outside the code."""
    try:
        yield
    except (ImproperlyConfigured, OperationalError) as error:
        if not (sentence := why_refused(error)):
            raise
        leave([sentence], code=code)


def leave(sentences: Iterable[str], *, code: int = 1) -> NoReturn:
    """End the process; stderr says why, one line each."""
    sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
    sys.stderr.flush()
    raise SystemExit(code)


def why_refused(error: Exception) -> str:
    """What whoever runs the program can put right: a setting, a database that is not there; "" for anything else."""
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    cause = error.__cause__
    # By way of Django, which loads the driver where a database is used: the timetable's process does without.
    if not isinstance(cause, connection.Database.Error):  # type: ignore[attr-defined]  # each engine's wrapper has it
        return ""
    # A server that was never reached has given no state.
    is_unreachable = cause.sqlstate is None or cause.sqlstate.startswith(UNREACHABLE_CLASSES)
    return f"The database cannot be used: {' '.join(str(error).split())}" if is_unreachable else ""


def require_consent(question: str, *, sure: bool, otherwise: str) -> None:
    """Ask on the terminal, unless somebody is sure. Raises CommandError, with `otherwise`, where nobody says yes."""
    if sure:
        return
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to ask: say --yes to do it without a question.")
    if input(f"{question} Type yes: ").strip().lower() != "yes":
        raise CommandError(otherwise)


def at_least_one(text: str) -> int:
    """A count from the command line; argparse says what is wrong with any other word."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number from 1 up")
    return int(text)


EARLIEST_DAY = date(2000, 1, 1)


def past_day(text: str) -> date:
    """A day that has begun in the site's zone; argparse says what is wrong with any other word."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-11-01")
    if not EARLIEST_DAY <= day <= localdate(timezone=get_default_timezone()):
        raise ArgumentTypeError(f"{text} lies {'before 2000' if day < EARLIEST_DAY else 'in the future'}")
    return day
