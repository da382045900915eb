"""What a back-up holds: every table of the database but those that another machine makes anew, each in one order."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

EMULATOR_PREFIX = "stripe_emulator_"
MIGRATIONS = "django_migrations"
# What ends with the database that it was in: who is signed in, and what is counted in the cache.
PASSING = ("django_session", str(settings.CACHES["default"]["LOCATION"]))
# What `migrate` fills: rows in them are no sign that somebody has used the database.
FILLED_BY_MIGRATE = frozenset(
    {
        "accounts_givenright", "auth_group", "auth_group_permissions", "auth_permission", "django_content_type",
        "payments_plan",
    }
)  # fmt: skip
# What the database works out by itself is not written; the key decides the order of the rows.
COLUMNS = """
    SELECT c.relname, a.attname, t.typcategory = 'S', array_position(i.indkey::int2[], a.attnum)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname, a.attnum
"""
SEQUENCES = """
    SELECT c.relname, a.attname, s.oid::regclass::text
    FROM pg_class s
    JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1, 2
"""
Applied = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """`order`: SQL by which its rows always come in the same order, whatever the language of the server."""

    name: str
    columns: tuple[str, ...]
    order: str

    @property
    def reading(self) -> str:
        """COPY of all rows. Without a key nobody knows an order: then the text of the whole row decides."""
        quote = connection.ops.quote_name
        columns = ", ".join(map(quote, self.columns))
        order = self.order or f'{quote(self.name)}::text COLLATE "C"'
        return f"COPY (SELECT {columns} FROM {quote(self.name)} ORDER BY {order}) TO STDOUT"


def kept_tables(cursor: CursorWrapper, *, with_emulator: bool = False) -> list[Table]:
    """The tables of the schema, by name; those that somebody has added by hand as well."""
    cursor.execute(COLUMNS)
    found: dict[str, list[tuple[str, bool, int | None]]] = {}
    for name, *column in cursor.fetchall():
        if is_kept(name, with_emulator=with_emulator):
            found.setdefault(name, []).append((column[0], column[1], column[2]))
    return [_table(name, columns) for name, columns in found.items()]


def is_kept(name: str, *, with_emulator: bool) -> bool:
    """Whether a back-up holds the table of this name."""
    return name not in (MIGRATIONS, *PASSING) and (with_emulator or not name.startswith(EMULATOR_PREFIX))


def _table(name: str, columns: Iterable[tuple[str, bool, int | None]]) -> Table:
    columns, quote = list(columns), connection.ops.quote_name
    key = sorted((place, column, is_text) for column, is_text, place in columns if place is not None)
    order = ", ".join(quote(column) + (' COLLATE "C"' if is_text else "") for _place, column, is_text in key)
    return Table(name, tuple(column for column, _is_text, _place in columns), order)


def sequences_of(cursor: CursorWrapper, tables: Iterable[str]) -> dict[str, tuple[str, int, bool]]:
    """By "table.column": the sequence, its last number, and whether that was given out."""
    names = set(tables)
    cursor.execute(SEQUENCES)
    known = [(f"{table}.{column}", name) for table, column, name in cursor.fetchall() if table in names]
    found = {}
    for column, name in known:
        cursor.execute(f"SELECT last_value, is_called FROM {name}")  # the database has quoted it
        last, is_called = cursor.fetchone()
        found[column] = (name, last, is_called)
    return found


def applied_migrations(cursor: CursorWrapper, *, with_emulator: bool = False) -> Applied:
    """By app what has been migrated here, by name; none where nothing ever was."""
    cursor.execute("SELECT to_regclass(%s)", [MIGRATIONS])
    if cursor.fetchone()[0] is None:
        return {}
    cursor.execute(f"SELECT app, name FROM {MIGRATIONS} ORDER BY app, name")
    found: Applied = {}
    for app, name in cursor.fetchall():
        # Who is signed in is not kept, and needs no table in the same shape.
        if app != "sessions" and (with_emulator or app != EMULATOR_PREFIX.rstrip("_")):
            found.setdefault(app, []).append(name)
    return found
