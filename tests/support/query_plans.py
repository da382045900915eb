"""What PostgreSQL would do with each statement, were the tables as large as those of a shop that has sold for years."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

# Rows of each table; what is not here stays small (plans, activities, keys, runs, questions, disputes …).
SIZES = {
    "payments_paymentevent": 2_000_000,
    "payments_eventattempt": 2_000_000,
    "payments_orderchange": 2_000_000,
    "payments_effect": 1_000_000,
    "payments_balanceentry": 1_000_000,
    "payments_reference": 1_000_000,
    "payments_order": 500_000,
    "payments_checkoutattempt": 500_000,
    "payments_payment": 400_000,
    "payments_receipt": 400_000,
    "payments_redelivery": 200_000,
    "payments_customer": 200_000,
    "payments_subscription": 200_000,
    "payments_refund": 200_000,
    "registrations_registration": 300_000,
    "accounts_user": 200_000,
    "module_access": 200_000,
    "access_tokens": 200_000,
}
# Rows that are really made: enough to tell what is rare from what is common.
COPIES = 10_000
MINUTES_APART = 10
FIRST_COPY = 1_000_000_000  # the keys of the copies begin above those of the rows
# Columns that hold names of single things without saying so by a constraint on the column.
NAMES = {"email", "name", "session", "object_id", "request_id", "payment", "key"}
# What must have read all that lies beneath it before it gives its first row.
READS_ALL = {"Sort", "Aggregate", "Hash", "Materialize", "WindowAgg", "Unique", "SetOp", "BitmapAnd", "BitmapOr"}
# In PostgreSQL's units, in which a row that is read costs a hundredth.
SOON = 1_000
Plan = dict[str, Any]


@dataclass
class Statements:
    """What was asked of the database."""

    seen: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        if re.match(r"\s*(SELECT|WITH)\b", sql) and " FOR UPDATE" not in sql:
            self.seen[sql] = params
        return execute(sql, params, many, context)


@contextmanager
def captured() -> Iterator[Statements]:
    """The statements of the block."""
    statements = Statements()
    with connection.execute_wrapper(statements):
        yield statements


def grow_tables() -> None:
    """Multiply the rows that there are, look at them, and make PostgreSQL believe that there are as many as in SIZES.

    For this transaction: who rolls it back shrinks the tables with `shrink_tables`.
    """
    multiply_rows(dict.fromkeys(SIZES, COPIES))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = on")  # off where a drain has been at work
        # Small ones too: what PostgreSQL guesses of a table that it has never looked at is no small number.
        cursor.execute("ANALYZE")
        # The pages are those of the copies: so many times as many would have to be read.
        cursor.execute(f"SET LOCAL seq_page_cost = {min(SIZES.values()) / COPIES}")
        for table, rows in SIZES.items():
            cursor.execute(
                """
                WITH counted AS (SELECT oid, reltuples FROM pg_class WHERE oid = to_regclass(%s))
                UPDATE pg_class SET reltuples = pg_class.reltuples * %s / counted.reltuples FROM counted
                WHERE pg_class.oid = counted.oid
                    OR pg_class.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = counted.oid)
                """,
                [table, rows],
            )


def multiply_rows(copies: Mapping[str, int]) -> None:
    """So many rows more of each table, like those that there are; PostgreSQL has looked at them."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # a copy may come before the row to which it belongs
        for table in copies:
            _multiply(cursor, table, copies)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(f"ANALYZE {', '.join(copies)}")


def _multiply(cursor: CursorWrapper, table: str, copies: Mapping[str, int]) -> None:
    """Rows with names of their own, each belonging to copies in the same way."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    values = ", ".join(f"{_copied(column, copies)} AS {column.column}" for column in model._meta.concrete_fields)
    names = ", ".join(f'"{column.column}"' for column in model._meta.concrete_fields)
    cursor.execute(
        f"""
        WITH template AS (
            SELECT *, row_number() OVER (ORDER BY {model._meta.pk.column}) - 1 AS place, count(*) OVER () AS rows
            FROM {table}
        )
        INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE
        SELECT {values} FROM generate_series(1, {copies[table]}) AS n JOIN template ON place = n %% rows ORDER BY n
        """,
        [],
    )
    assert cursor.rowcount == copies[table], f"There is no row of {table} to copy."


def _copied(column: models.Field, copies: Mapping[str, int]) -> str:
    """The value of this column in the copy number `n`."""
    name = f'"{column.column}"'
    if column.primary_key and isinstance(column, models.IntegerField):
        return f"{FIRST_COPY} + n"
    if isinstance(column, models.ForeignKey):
        if of_related := copies.get(column.related_model._meta.db_table):
            return f"CASE WHEN {name} IS NOT NULL THEN {FIRST_COPY} + 1 + (n - 1) %% {of_related} END"
        if keys := [key for (key,) in column.related_model._base_manager.values_list("pk")]:
            return f"CASE WHEN {name} IS NOT NULL THEN (ARRAY{keys})[1 + n / 7 %% {len(keys)}] END"
    if isinstance(column, models.UUIDField):
        return "gen_random_uuid()"
    if isinstance(column, models.DateTimeField):
        return f"{name} + (n - {max(copies.values())}) * interval '{MINUTES_APART} minutes'"
    if isinstance(column, ArrayField) and isinstance(column.base_field, models.CharField):
        return f"ARRAY(SELECT each || '~' || n FROM unnest({name}) AS each)"
    is_name = isinstance(column, models.CharField) and (column.unique or column.name in NAMES)
    return f"CASE WHEN {name} <> '' THEN {name} || '~' || n ELSE {name} END" if is_name else name


def shrink_tables() -> None:
    """Give back the pages in which the copies were, outside of any transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(SIZES)}")


def troubles(statements: Statements) -> list[str]:
    """Each statement that would read a large table, or an index of one, from end to end.

    The first rows in the order of an index may be looked for where they are found soon.
    """
    found: list[str] = []
    with connection.cursor() as cursor:
        for sql, params in statements.seen.items():
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            [[whole]] = cursor.fetchone()
            found += [f"{trouble}\n    {sql % params if params else sql}" for trouble in _walk(whole["Plan"])]
    return found


def _walk(node: Plan, *, limit_cost: float = inf) -> Iterator[str]:
    """`limit_cost`: of the limit above, which ends the step as soon as it has given enough rows."""
    if _reads_whole(node) and limit_cost > SOON:
        yield f"{node['Node Type']} of {node.get('Index Name', node['Relation Name'])}: {node.get('Filter', '')}"
    if node["Node Type"] == "Limit":
        limit_cost = node["Total Cost"]
    elif node["Node Type"] in READS_ALL:
        limit_cost = inf
    for child in node.get("Plans", ()):
        yield from _walk(child, limit_cost=limit_cost)


def _reads_whole(node: Plan) -> bool:
    """Whether nothing leads this step to the rows that are wanted."""
    is_scan = node["Node Type"] == "Seq Scan" or ("Index" in node["Node Type"] and "Index Cond" not in node)
    return is_scan and node.get("Relation Name") in SIZES and not _is_partial(node.get("Index Name"))


def _is_partial(index: str | None) -> bool:
    """Whether the index holds only the rows of some kind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indpred IS NOT NULL FROM pg_index WHERE indexrelid = to_regclass(%s)", [index])
        row = cursor.fetchone()
    return bool(row and row[0])
