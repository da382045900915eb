"""Writes a back-up: all tables in one snapshot, while everybody goes on working."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from payments.database.archive import BackupRefused, Entry, Manifest, Writer, new_archive
from payments.database.tables import EMULATOR_PREFIX, applied_migrations, kept_tables, sequences_of

log = structlog.get_logger(__name__)
# One snapshot for all tables; a long read is no reason to end it.
SNAPSHOT = """
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = 0; SET LOCAL client_encoding = 'UTF8'; SET LOCAL "DateStyle" = 'ISO';
    SET LOCAL "IntervalStyle" = 'postgres'; SET LOCAL "TimeZone" = 'UTC'; SET LOCAL extra_float_digits = 1
"""
NAME = "state-{at:%Y%m%dT%H%M%SZ}.zip"
Told = Callable[[Entry], None]


def target_in(path: Path, *, at: datetime) -> Path:
    """The file itself, or one named after the moment (UTC) where a directory is given."""
    return path / NAME.format(at=at) if path.is_dir() else path


def back_up(target: Path, *, with_emulator: bool = False, told: Told = lambda _entry: None) -> Manifest:
    """Write all tables into a new file. Raises BackupRefused. `told` hears of each table once it is written.

    Not to be called inside a transaction: the snapshot is one of its own.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A back-up needs a snapshot of its own.")
    with new_archive(target) as writer, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT)
        manifest = _write(writer, cursor, with_emulator=with_emulator, told=told)
        writer.finish(manifest)
    log.info("state.backed_up", file=target.name, tables=len(manifest.tables), rows=manifest.rows)
    return manifest


def _write(writer: Writer, cursor: CursorWrapper, *, with_emulator: bool, told: Told) -> Manifest:
    cursor.execute("SELECT now(), current_setting('server_version')")
    made_at, server = cursor.fetchone()
    tables = kept_tables(cursor, with_emulator=with_emulator)
    migrations = applied_migrations(cursor, with_emulator=with_emulator)
    if not migrations:
        raise BackupRefused("Nothing was ever migrated in this database: there is no state to keep.")
    if with_emulator and not any(table.name.startswith(EMULATOR_PREFIX) for table in tables):
        raise BackupRefused("The Stripe emulator has no tables in this database.")
    # They count on while the snapshot stands still: what they say is never too little.
    sequences = sequences_of(cursor, [table.name for table in tables])
    entries = []
    for table in tables:
        entries.append(writer.add(table.name, table.columns, copied(cursor, table.reading)))
        told(entries[-1])
    return Manifest(
        product_version=settings.VERSION, site=settings.SITE_NAME, made_at=made_at.isoformat(), server=server,
        migrations=migrations, tables=entries, with_emulator=with_emulator,
        sequences={column: (last, is_called) for column, (_name, last, is_called) in sequences.items()},
    )  # fmt: skip


def copied(cursor: CursorWrapper, reading: str) -> Iterator[bytes]:
    """What COPY writes, piece by piece."""
    raw: Any = cursor
    with connection.wrap_database_errors, raw.copy(reading) as copy:
        yield from map(bytes, copy)
