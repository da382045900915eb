"""Compares how the database is built with what the migrations make; each difference with the SQL that ends it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.db import connection

from payments.database.schema import Column, Key, Schema, quoted, read_schema
from payments.database.throwaway import Throwaway

T = TypeVar("T")
# Table and name, what it is here, what it should be; "" where there is none. Gives SQL.
Remedy = Callable[[str, str, str, str], str]
MISSING, ADDED, CHANGED = "missing", "added by hand", "changed by hand"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the migrations make it. `here`, `made`: its definition, "" where there is none.

    `remedy`: SQL that makes it as it should be. What was added may be wanted: whoever runs it decides.
    """

    what: str
    name: str
    state: str
    here: str
    made: str
    remedy: str

    @property
    def sentence(self) -> str:
        told = f" (here: {self.here}; by the migrations: {self.made})" if self.here and self.made else ""
        return f"{self.what} {self.name}: {self.state}{told}"

    def as_dict(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


def find_drift(database: Throwaway) -> list[Difference]:
    """What differs here from a database that was only migrated."""
    # Without the emulator this program knows nothing of its tables.
    with_emulator = apps.is_installed("stripe_emulator")
    with connection.cursor() as cursor, database.connect() as other:

        def ask(question: str) -> list[tuple[Any, ...]]:
            cursor.execute(question)
            return list(cursor.fetchall())

        here = read_schema(ask, with_emulator=with_emulator)
        made = read_schema(lambda question: other.execute(question).fetchall(), with_emulator=with_emulator)
    return list(compare(here, made))


def compare(here: Schema, made: Schema) -> Iterator[Difference]:
    """Tables first; of one that is missing or was added nothing else is told."""
    for name in sorted(made.tables - here.tables):
        yield Difference("table", name, MISSING, "", name, "Restore it from a back-up into a database that migrates.")
    for name in sorted(here.tables - made.tables):
        yield Difference("table", name, ADDED, name, "", f'DROP TABLE "{name}";')
    both = here.tables & made.tables
    yield from _columns(_in(both, here.columns), _in(both, made.columns))
    yield from _parts("constraint", _in(both, here.constraints), _in(both, made.constraints), _constraint_remedy)
    yield from _parts("index", _in(both, here.indexes), _in(both, made.indexes), _index_remedy)
    yield from _parts("trigger", _in(both, here.triggers), _in(both, made.triggers), _trigger_remedy)
    yield from _parts("view", _by_name(here.views), _by_name(made.views), _view_remedy)
    yield from _switched_off(here, made)


def _in(tables: set[str], parts: Mapping[Key, T]) -> dict[Key, T]:
    return {key: told for key, told in parts.items() if key[0] in tables}


def _by_name(views: Mapping[str, str]) -> dict[Key, str]:
    return {("", name): told for name, told in views.items()}


def _columns(here: Mapping[Key, Column], made: Mapping[Key, Column]) -> Iterator[Difference]:
    for (table, name), now, then in _differing(here, made):
        alter, full = f'ALTER TABLE "{table}"', f"{table}.{name}"
        match now, then:
            case None, Column():
                yield Difference("column", full, MISSING, "", then.sql, f'{alter} ADD COLUMN "{name}" {then.sql};')
            case Column(), None:
                yield Difference("column", full, ADDED, now.sql, "", f'{alter} DROP COLUMN "{name}";')
            case Column(), Column():
                remedy = "; ".join(f'{alter} ALTER COLUMN "{name}" {each}' for each in _column_steps(now, then))
                yield Difference("column", full, CHANGED, now.sql, then.sql, f"{remedy};")


def _column_steps(now: Column, then: Column) -> Iterator[str]:
    if now.type != then.type:
        yield f"TYPE {then.type}"
    if now.is_required != then.is_required:
        yield f"{'SET' if then.is_required else 'DROP'} NOT NULL"
    if now.identity != then.identity:
        yield f"ADD {then.sql[then.sql.index('GENERATED') :]}" if then.identity else "DROP IDENTITY"
    if (now.default, now.generated) != (then.default, then.generated):
        yield f"SET DEFAULT {then.default}" if then.default else "DROP DEFAULT"


def _differing(here: Mapping[Key, T], made: Mapping[Key, T]) -> Iterator[tuple[Key, T | None, T | None]]:
    for key in sorted({*here, *made}):
        if here.get(key) != made.get(key):
            yield key, here.get(key), made.get(key)


def _parts(what: str, here: Mapping[Key, str], made: Mapping[Key, str], remedy: Remedy) -> Iterator[Difference]:
    for (table, name), now, then in _differing(here, made):
        state = MISSING if now is None else ADDED if then is None else CHANGED
        full = f"{table}.{name}".lstrip(".")
        yield Difference(what, full, state, now or "", then or "", remedy(table, name, now or "", then or ""))


def _constraint_remedy(table: str, name: str, now: str, then: str) -> str:
    drop = f' DROP CONSTRAINT "{name}"' if now else ""
    add = f' ADD CONSTRAINT "{name}" {then}' if then else ""
    return f'ALTER TABLE "{table}"{",".join(filter(None, (drop, add)))};'


def _index_remedy(_table: str, name: str, now: str, then: str) -> str:
    """Without locking anybody out; outside a transaction."""
    drop = f'DROP INDEX CONCURRENTLY "{name}";' if now else ""
    add = f"{then.replace(' INDEX ', ' INDEX CONCURRENTLY ', 1)};" if then else ""
    return " ".join(filter(None, (drop, add)))


def _trigger_remedy(table: str, name: str, now: str, then: str) -> str:
    drop = f'DROP TRIGGER "{name}" ON "{table}";' if now else ""
    return " ".join(filter(None, (drop, f"{then};" if then else "")))


def _view_remedy(_table: str, name: str, now: str, then: str) -> str:
    kind = now.split(f" {quoted(name)}")[0].removeprefix("CREATE ")
    return " ".join(filter(None, (f"DROP {kind} {quoted(name)};" if now else "", then)))


def _switched_off(here: Schema, made: Schema) -> Iterator[Difference]:
    """What is there, word for word, and does nothing."""
    for table, name in sorted(here.off - made.off):
        if (table, name) in here.indexes:
            yield Difference("index", f"{table}.{name}", "not valid", "", "", f'REINDEX INDEX CONCURRENTLY "{name}";')
        elif (table, name) in here.triggers:
            remedy = f'ALTER TABLE "{table}" ENABLE TRIGGER "{name}";'
            yield Difference("trigger", f"{table}.{name}", "switched off", "", "", remedy)
