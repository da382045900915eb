"""Many rows at once, by COPY: PostgreSQL reads them as text, a line each, while they are still being written.

No constraint is left out: keys, checks and foreign keys hold as for every other row.
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

NULL = r"\N"
# What would end a column or a line.
ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
Fields = Sequence["models.Field[Any, Any]"]


def copy_rows(rows: Sequence[models.Model]) -> int:
    """Insert these rows of one model. Returns how many; their own ids stay as they are, given or not.

    Moments that Django sets by itself are set where none is given. Raises django.db errors: then none is there.
    """
    if not rows:
        return 0
    fields = written_fields(type(rows[0]), with_key=rows[0].pk is not None)
    return copy_lines(type(rows[0]), fields, (line_of(row, fields) for row in rows))


def written_fields(model: type[models.Model], *, with_key: bool) -> Fields:
    """The columns that are written; the key only where the rows bring it."""
    own = [field for field in model._meta.concrete_fields if not field.generated]
    return [field for field in own if with_key or not isinstance(field, models.AutoField)]


def copy_lines(model: type[models.Model], fields: Fields, lines: Iterable[str]) -> int:
    """Insert what `line_of` has made of rows with these fields. Returns how many there were."""
    quote, count = connection.ops.quote_name, 0
    columns = ", ".join(quote(str(field.column)) for field in fields)
    into = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(into) as copy:
        for line in lines:
            copy.write(line)
            count += 1
    return count


def line_of(row: models.Model, fields: Fields) -> str:
    """The row as COPY reads it."""
    return "\t".join(_column(row, field) for field in fields) + "\n"


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids that nobody else gets, for rows that others must name before they are there."""
    key = model._meta.pk.column
    with connection.cursor() as cursor:
        sequence = "pg_get_serial_sequence(%s, %s)"
        cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [model._meta.db_table, key, count])
        return [number for (number,) in cursor.fetchall()]


def _column(row: models.Model, field: "models.Field[Any, Any]") -> str:
    value = getattr(row, field.attname)
    if value is None:
        value = field.pre_save(row, add=True)
    return NULL if value is None else _text(field, value).translate(ESCAPED)


def _text(field: "models.Field[Any, Any]", value: Any) -> str:
    """As PostgreSQL reads the column's type. Raises TypeError for what has no place in a column here."""
    if isinstance(field, models.JSONField):
        return json.dumps(value, ensure_ascii=False, allow_nan=False, cls=field.encoder)
    if isinstance(field, ArrayField):
        return "{" + ",".join(_quoted(_text(field.base_field, each)) for each in value) + "}"
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(" ")
        case bool():
            return "t" if value else "f"
        case str():
            return field.get_prep_value(value)
        case int() | UUID() | date():
            return str(value)
    raise TypeError(f"{field}: a {type(value).__name__} cannot be copied")


def _quoted(text: str) -> str:
    """An element of an array: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO"""
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
