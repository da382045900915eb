"""Brings a back-up back into an empty, migrated database: in one transaction, and read back before it is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from payments.database.archive import Archive, BackupRefused, Entry, Manifest, Sum, open_archive
from payments.database.backup import copied
from payments.database.tables import (
    FILLED_BY_MIGRATE,
    PASSING,
    Applied,
    Table,
    applied_migrations,
    kept_tables,
    sequences_of,
)

log = structlog.get_logger(__name__)
LOCK_WAIT = "5s"
TABLES_NAMED = 5
SETTINGS = f"""
    SET LOCAL lock_timeout = '{LOCK_WAIT}'; SET LOCAL statement_timeout = 0; SET LOCAL client_encoding = 'UTF8';
    SET LOCAL "DateStyle" = 'ISO'; SET LOCAL "IntervalStyle" = 'postgres'; SET LOCAL "TimeZone" = 'UTC';
    SET LOCAL extra_float_digits = 1
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """`left_out`: tables of the back-up that the migrations do not make, so that nobody here knows them."""

    manifest: Manifest
    left_out: Sequence[str]


def check_backup(path: Path) -> Manifest:
    """Read all of a back-up and compare it with what it says of itself; touches no database. Raises BackupRefused."""
    with open_archive(path) as archive:
        archive.check()
        return archive.manifest


def restore(path: Path) -> Restored:
    """Fill this database with the back-up. Raises BackupRefused: then nothing has changed.

    What was written is read back and compared with the sums of the manifest before anything is kept.
    """
    with open_archive(path) as archive:
        archive.check()
        try:
            with transaction.atomic(durable=True), connection.cursor() as cursor:
                left_out = _restore(archive, cursor)
        except DatabaseError as error:
            raise BackupRefused(f"The database refuses it, and nothing was changed: {_first_line(error)}") from error
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    ContentType.objects.clear_cache()
    manifest = archive.manifest
    log.info("state.restored", file=path.name, tables=len(manifest.tables), rows=manifest.rows, made=manifest.made_at)
    return Restored(manifest, left_out)


def _first_line(error: DatabaseError) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _restore(archive: Archive, cursor: CursorWrapper) -> list[str]:
    manifest = archive.manifest
    cursor.execute(SETTINGS)
    require_same_migrations(manifest, applied_migrations(cursor, with_emulator=manifest.with_emulator))
    tables = {table.name: table for table in kept_tables(cursor, with_emulator=manifest.with_emulator)}
    _lock([*tables, *PASSING], cursor)
    _require_empty(tables, manifest, cursor)
    entries = [entry for entry in manifest.tables if entry.name in tables]
    _require_columns(entries, tables)
    # References are compared once everything is there: tables refer to each other in a circle.
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    cursor.execute(f"TRUNCATE {_names([*tables, *PASSING])}")
    for entry in entries:
        _copy_in(archive, entry, cursor)
    _set_sequences(manifest, tables, cursor)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for entry in entries:
        _require_same_rows(archive, entry, tables[entry.name], cursor)
    return [entry.name for entry in manifest.tables if entry.name not in tables]


def require_same_migrations(manifest: Manifest, here: Applied) -> None:
    """Raises BackupRefused with what is to be done where database and back-up do not have the same migrations."""
    then = manifest.migrations
    missing = [f"{app}.{name}" for app, names in then.items() for name in names if name not in here.get(app, ())]
    further = [f"{app}.{name}" for app, names in here.items() for name in names if name not in then.get(app, ())]
    version = f"version {manifest.product_version!r} of the product"
    if missing:
        raise BackupRefused(
            f"The back-up knows migrations that this database does not have ({_some(missing)}): run manage.py migrate "
            f"with {version}, which made it, then restore."
        )
    if further:
        raise BackupRefused(
            f"This database has migrations that the back-up does not know ({_some(further)}): make an empty database, "
            f"run manage.py migrate and restore_state with {version}, then migrate with the present one."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:TABLES_NAMED]) + (f" and {len(names) - TABLES_NAMED} more" if names[TABLES_NAMED:] else "")


def _names(tables: Iterable[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, tables))


def _lock(tables: Iterable[str], cursor: CursorWrapper) -> None:
    """Nobody else writes, or reads something that is half there."""
    try:
        with transaction.atomic():
            cursor.execute(f"LOCK TABLE {_names(tables)} IN ACCESS EXCLUSIVE MODE")
    except DatabaseError as error:
        raise BackupRefused(
            f"The tables cannot be had alone ({_first_line(error)}): stop web, worker and beat first."
        ) from error


def _require_empty(tables: Iterable[str], manifest: Manifest, cursor: CursorWrapper) -> None:
    used = [name for name in tables if name not in FILLED_BY_MIGRATE]
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {_names([name])}" for name in used)
    cursor.execute(f"SELECT * FROM ({counts}) AS found (name, rows) WHERE rows > 0 ORDER BY rows DESC, name")
    if not (filled := cursor.fetchall()):
        return
    cursor.execute("SELECT max(received_at) FROM payments_paymentevent")
    newest = cursor.fetchone()[0]
    heard = newest.isoformat(" ", "minutes") if newest else "never"
    raise BackupRefused(
        f"The database is not empty: {_some([f'{name} has {rows} rows' for name, rows in filled])} (its last event was "
        f"received {heard}, the back-up is of {manifest.made_at[:16]}). Nothing is ever overwritten: restore into a "
        "new database that was only migrated."
    )


def _require_columns(entries: Iterable[Entry], tables: dict[str, Table]) -> None:
    for entry in entries:
        if missing := set(entry.columns) - set(tables[entry.name].columns):
            raise BackupRefused(
                f"The table {entry.name} has no column {_some(sorted(missing))} here, though the migrations are the "
                "same: manage.py check_schema says what was changed by hand."
            )


def _copy_in(archive: Archive, entry: Entry, cursor: CursorWrapper) -> None:
    raw: Any = cursor
    into = f"COPY {_names([entry.name])} ({_names(entry.columns)}) FROM STDIN"
    with connection.wrap_database_errors, raw.copy(into) as copy:
        for chunk in archive.chunks(entry):
            copy.write(chunk)


def _set_sequences(manifest: Manifest, tables: Iterable[str], cursor: CursorWrapper) -> None:
    """Numbers that were given out are never given out again, be their rows deleted."""
    for column, (name, _last, _is_called) in sequences_of(cursor, tables).items():
        if column in manifest.sequences:
            cursor.execute("SELECT setval(%s, %s, %s)", [name, *manifest.sequences[column]])


def _require_same_rows(archive: Archive, entry: Entry, table: Table, cursor: CursorWrapper) -> None:
    found, written = Sum(), Table(entry.name, tuple(entry.columns), table.order)
    for chunk in copied(cursor, written.reading):
        found.add(chunk)
    if not found.fits(entry):
        raise archive.damaged(f"{entry.name} is something else once it is read back")
