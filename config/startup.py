"""What web, worker and beat ask before they begin: a production that would lose money or secrets does not start."""

import gc

import django
import structlog
from django.conf import settings
from django.core.checks import ERROR, CheckMessage, Tags, run_checks
from django.db import DatabaseError, connection

from config.command_line import leave

log = structlog.get_logger(__name__)
# Gunicorn starts a worker that has ended with another code again and again.
WEB_EXIT_CODE = 4
NO_COUNTERS = (
    "The table that counts tries (%s) is missing, and there is no REDIS_URL: nobody would be held back. "
    "Run `manage.py migrate`."
)


def require_fit(*, code: int = 1) -> None:
    """End the process with one line for each thing that must not be in production; elsewhere only tell of oddities."""
    django.setup()
    found = run_checks(tags=[Tags.security])
    for message in found:
        if message.level < ERROR:
            log.warning("startup.odd", id=message.id, message=sentence_of(message))
    if settings.PRODUCTION:
        faults = [sentence_of(message) for message in found if message.level >= ERROR]
        if faults := [*faults, *_without_counters()]:
            leave((f"Not started: {fault}" for fault in faults), code=code)


def settle() -> None:
    """What is loaded by now stays to the end: the garbage collector need not look through it again and again, and
    processes that are forked go on sharing what it would write into.

    Measured: a quarter of the drain's time; a third of the memory of each web process.
    """
    gc.collect()
    gc.freeze()


def sentence_of(message: CheckMessage) -> str:
    """What is wrong, and what to do."""
    return f"{message.msg} {message.hint or ''}".strip()


def _without_counters() -> list[str]:
    """Whether tries could not be counted. A database that is away now may be back when it is needed."""
    if settings.REDIS_URL:
        return []
    table = str(settings.CACHES["default"]["LOCATION"])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [table])
            is_there = cursor.fetchone()[0] is not None
    except DatabaseError as error:
        log.error("startup.no_database", error=" ".join(str(error).split()))
        return []
    finally:
        connection.close()  # what forks would share it
    return [] if is_there else [NO_COUNTERS % table]


if __name__ == "__main__":
    # For the timetable (config/celery.py: Beat), which does not load what is asked here.
    require_fit()
