"""How a database is built: tables, columns, constraints, indexes, triggers and views, each as one line of SQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from payments.database.tables import EMULATOR_PREFIX

OUR_TABLE = "c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
COLUMNS = f"""
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN ' COLLATE ' || a.attcollation::regcollation
               ELSE '' END,
        a.attnotnull, coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity::text, a.attgenerated::text
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE {OUR_TABLE}
"""
# PostgreSQL 18 keeps NOT NULL as constraints of its own; here it belongs to its column.
CONSTRAINTS = f"""
    SELECT c.relname, n.conname, pg_get_constraintdef(n.oid)
    FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
    WHERE {OUR_TABLE} AND n.contype IN ('c', 'f', 'p', 'u', 'x')
"""
INDEXES = f"""
    SELECT c.relname, i.relname, pg_get_indexdef(i.oid), x.indisvalid
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
    WHERE {OUR_TABLE}
        AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conindid = i.oid AND n.contype IN ('p', 'u', 'x'))
"""
TRIGGERS = f"""
    SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE {OUR_TABLE} AND NOT t.tgisinternal
"""
# Of every schema but those of PostgreSQL itself: `legacy` has nothing but views (docs/moving-in.md).
VIEWS = """
    SELECT CASE n.nspname WHEN current_schema() THEN '' ELSE n.nspname || '.' END || c.relname,
        CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END || 'VIEW', pg_get_viewdef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
IDENTITIES = {"a": "ALWAYS", "d": "BY DEFAULT"}
Rows = Sequence[Sequence[Any]]
# Runs SQL on any connection, be it Django's or the driver's own.
Ask = Callable[[str], Rows]
# A table, and what is in it.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """`default`: SQL, "" for none."""

    type: str
    is_required: bool
    default: str
    identity: str
    generated: str

    @property
    def sql(self) -> str:
        """As CREATE TABLE would have it."""
        parts = [self.type, "NOT NULL" if self.is_required else ""]
        if self.generated:
            parts.append(f"GENERATED ALWAYS AS ({self.default}) STORED")
        elif self.default:
            parts.append(f"DEFAULT {self.default}")
        if self.identity:
            parts.append(f"GENERATED {IDENTITIES[self.identity]} AS IDENTITY")
        return " ".join(filter(None, parts))


@dataclass(slots=True)
class Schema:
    """By table and name what there is; `off`: indexes that are not valid, triggers that do not fire. Views by name."""

    tables: set[str] = field(default_factory=set)
    columns: dict[Key, Column] = field(default_factory=dict)
    constraints: dict[Key, str] = field(default_factory=dict)
    indexes: dict[Key, str] = field(default_factory=dict)
    triggers: dict[Key, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    off: set[Key] = field(default_factory=set)


def read_schema(ask: Ask, *, with_emulator: bool) -> Schema:
    """Six questions to the catalogue; nothing of the rows is read."""

    def rows(question: str) -> list[Sequence[Any]]:
        return [row for row in ask(question) if with_emulator or not row[0].startswith(EMULATOR_PREFIX)]

    found = Schema(tables={name for (name,) in rows(f"SELECT c.relname FROM pg_class c WHERE {OUR_TABLE}")})
    found.columns = {(row[0], row[1]): Column(*row[2:]) for row in rows(COLUMNS)}
    found.constraints = {(table, name): told for table, name, told in rows(CONSTRAINTS)}
    for table, name, told, is_valid in rows(INDEXES):
        found.indexes[table, name] = told
        found.off |= set() if is_valid else {(table, name)}
    for table, name, told, state in rows(TRIGGERS):
        found.triggers[table, name] = told
        found.off |= {(table, name)} if state == "D" else set()
    found.views = {name: f"CREATE {kind} {quoted(name)} AS {told}" for name, kind, told in rows(VIEWS)}
    return found


def quoted(name: str) -> str:
    """A name, of another schema with that before a dot, as SQL has it."""
    return ".".join(f'"{part}"' for part in name.split("."))
