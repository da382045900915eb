"""Locks that have a name, and no row: PostgreSQL's advisory locks, which count on any number of machines."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# They are numbers there.
KEY_OF_NAME = "hashtextextended(%s, 0)"


@contextmanager
def advisory_lock(name: str, *, or_raise: Exception) -> Iterator[None]:
    """Hold the lock of this name inside the block; raises `or_raise` at once while somebody else holds it.

    It counts on any number of machines, and one that dies lets go with its connection.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({KEY_OF_NAME})", [name])
        if not cursor.fetchone()[0]:
            raise or_raise
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({KEY_OF_NAME})", [name])


def take_advisory_lock(name: str) -> bool:
    """Take the lock of this name until the transaction ends; False, at once, while somebody else holds it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({KEY_OF_NAME})", [name])
        return bool(cursor.fetchone()[0])


def wait_for_advisory_lock(name: str) -> None:
    """Wait for the lock of this name, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({KEY_OF_NAME})", [name])
