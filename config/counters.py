"""Counts that all processes share, exact however many count at once: in Redis, else in the database cache's table.

Django's cache alone would not do: on a database its `incr` reads and then writes, and on Redis the key can end between
the two calls that a counter needs, which leaves one that never ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.utils.module_loading import import_string

MAX_REMOVED_PER_CALL = 10

# One statement: the row's lock decides who counts next.
COUNT = """
    INSERT INTO cache_entry (cache_key, value, expires) VALUES (%(key)s, '1', %(ends)s)
    ON CONFLICT (cache_key) DO UPDATE SET
        value = CASE WHEN cache_entry.expires <= %(at)s THEN '1' ELSE (cache_entry.value::bigint + 1)::text END,
        expires = CASE WHEN cache_entry.expires <= %(at)s THEN %(ends)s ELSE cache_entry.expires END
    RETURNING value::bigint, expires
"""
REMOVE_ENDED = """
    DELETE FROM cache_entry WHERE cache_key IN (
        SELECT cache_key FROM cache_entry WHERE expires < %(at)s LIMIT %(most)s FOR UPDATE SKIP LOCKED
    )
"""


class CountersDown(Exception):
    """What keeps the counts does not answer; the text is the class of its error."""


@dataclass(frozen=True, slots=True)
class Count:
    """The `number`-th time in this window, which lasts for `left` from now on."""

    number: int
    left: timedelta


def count(key: str, *, window: timedelta, at: datetime) -> Count:
    """Count once more under this key; its window opens with the first time. Raises CountersDown.

    Belongs outside of transactions: others who count under the key would wait for their end.
    """
    if settings.REDIS_URL:
        return import_string("config.counters_redis.count")(settings.REDIS_URL, key, window=window)
    try:
        return _in_database(key, window=window, at=at)
    except DatabaseFailure as error:
        raise CountersDown(type(error).__name__) from error


def _in_database(key: str, *, window: timedelta, at: datetime) -> Count:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": key, "at": at, "ends": at + window})
        number, ends = cursor.fetchone()
        if number == 1:
            # Nothing else would remove the counters of those who never come back.
            cursor.execute(REMOVE_ENDED, {"at": at, "most": MAX_REMOVED_PER_CALL})
    return Count(number, ends - at)
