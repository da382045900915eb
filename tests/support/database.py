"""The tests' databases: one is migrated, and each process that runs tests works on a copy of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import django
import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import translation
from psycopg import sql
from pytest_django import DjangoDbBlocker

USUAL = settings.DATABASES["default"]["NAME"]
ONE_AT_A_TIME = 1_784_206_313  # the advisory lock under which the template is made and copied
# What migrations make for every model that there is: as good as part of the schema.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
# A copy of the rows with which an installation begins.
FIRST_ROWS = "first_rows"
ANY_ROW = """SELECT '{name}' WHERE EXISTS (SELECT FROM "{name}")"""


def make_own_database(*, worker: str) -> None:
    """Lead Django's connections to a fresh copy of the migrated database.

    `worker`: the name of this process if several share a server, else empty.
    """
    own = "_".join(filter(None, ("test", USUAL, worker)))
    with _beside_databases() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        template = _template(server, f"test_{USUAL}_template")
        _drop(server, own)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (own, template))))
    _use(own)


def drop_own_database() -> None:
    """Lead the connections back to where they led before."""
    own = connection.settings_dict["NAME"]
    _use(USUAL)
    with _beside_databases() as server:
        _drop(server, own)


def empty_tables() -> None:
    """Leave what migrations have made, after a test whose transactions were committed.

    Only tables with rows are touched: a TRUNCATE of all of them, as `flush` does it, takes a tenth of a second.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys are compared at the end of the transaction: the order of the tables does not matter.
        for name in _filled_tables(cursor):
            cursor.execute(f'DELETE FROM "{name}"')
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [FIRST_ROWS])
        for (name,) in cursor.fetchall():
            cursor.execute(f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE SELECT * FROM {FIRST_ROWS}."{name}"')


@contextmanager
def another_database() -> Iterator[str]:
    """The name of one that is migrated as well, and otherwise empty; gone afterwards."""
    name = f"{connection.settings_dict['NAME']}_another"
    with _beside_databases() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        found = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname !~ '_unfinished$'",
            [f"test_{USUAL}_template"],
        )
        ((template,),) = found.fetchall()
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
        server.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])
        try:
            yield name
        finally:
            _drop(server, name)


@contextmanager
def shared_rows(blocker: DjangoDbBlocker) -> Iterator[None]:
    """For a fixture of a class, which makes its rows in here once: each test finds them as they were made.

    What a test does is rolled back to them, since its transaction is a savepoint in this one.
    """
    with blocker.unblock(), translation.override("en"), transaction.atomic():
        yield
        transaction.set_rollback(True)


def _filled_tables(cursor: CursorWrapper) -> list[str]:
    """Those of the apps that have rows, but for what belongs to the schema."""
    names = [name for name in connection.introspection.table_names(cursor) if name not in KEPT]
    cursor.execute(" UNION ALL ".join(ANY_ROW.format(name=name) for name in names))
    return [name for (name,) in cursor.fetchall()]


def _template(server: psycopg.Connection[Any], prefix: str) -> str:
    """The database that is copied, made unless a run before has left it for these very migrations."""
    name = f"{prefix}_{_fingerprint()}"
    known = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix]).fetchall()
    if (name,) in known:
        return name
    for (outdated,) in known:
        _drop(server, outdated)
    unfinished = f"{prefix}_unfinished"
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    _use(unfinished)
    try:
        _fill()
    finally:
        _use(USUAL)
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (unfinished, name))))
    return name


def _fill() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {FIRST_ROWS}")
        for name in _filled_tables(cursor):
            cursor.execute(f'CREATE TABLE {FIRST_ROWS}."{name}" AS TABLE "{name}"')


def _fingerprint() -> str:
    """Of everything that makes the template what it is."""
    files = [Path(__file__), settings.BASE_DIR / "config" / "rights.py"]
    for app in apps.get_app_configs():
        files += sorted(Path(app.path, "migrations").glob("*.py"))
    told = sha256(django.get_version().encode())
    for file in files:
        told.update(file.name.encode() + file.read_bytes())
    return told.hexdigest()[:12]


@contextmanager
def _beside_databases() -> Iterator[psycopg.Connection[Any]]:
    """A connection from which databases can be made and dropped."""
    params = connection.get_connection_params() | {"dbname": "postgres"}
    for ours in ("cursor_factory", "context"):
        params.pop(ours, None)
    with psycopg.connect(**params, autocommit=True) as server:
        yield server


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    """With its connections: a thread or a process of a test may have left one."""
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _use(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
