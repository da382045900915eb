"""Which migrations may run while the previous version still serves: `python -m config.migration_rules` names others.

An update adds (expand): the version of before knows nothing of it, and goes on. What no version uses any more is
removed by a later release (contract), whose migration says so: `SAFE_BECAUSE = "…"` in its module, a reason that a
reviewer reads, makes all of it pass. Needs no database.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

from config.env import ROOT

# These came before the first release: nobody's previous version runs beside them. By app, up to and with this one.
BEFORE_THE_FIRST_RELEASE = {
    "accounts": "0008_personal_data",
    "modules_access": "0006_legacy_views",
    "payments": "0022_incidents",
    "registrations": "0006_filters_of_lists",
}
# A process of its own, in development only: nothing of it is updated while it serves.
NOT_DEPLOYED = {"stripe_emulator"}
LATER = "let a later release do it, when no version uses it any more"


def faults(operation: Operation, *, made: set[str], before: ProjectState, app: str) -> Iterator[str]:
    """Why this operation must not run beside the version of before. `made`: models that this migration creates."""
    model = getattr(operation, "model_name", getattr(operation, "name", "")).lower()
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from faults(inner, made=made, before=before, app=app)
    elif isinstance(operation, (migrations.RenameField, migrations.RenameModel, migrations.AlterModelTable)):
        yield f"renames what the version of before asks for: add the new name beside the old one, and {LATER}"
    elif isinstance(operation, (migrations.RemoveField, migrations.DeleteModel)):
        yield f"drops what the version of before asks for: {LATER}"
    elif model in made:
        return
    elif isinstance(operation, migrations.AddField):
        yield from _of_new_field(operation.field)
    elif isinstance(operation, migrations.AlterField):
        after = before.clone()
        operation.state_forwards(app, after)
        yield from _of_changed_field(*(_field_of(operation, state, app) for state in (before, after)))
    else:
        yield from _of_locks(operation)


def _of_new_field(field: Any) -> Iterator[str]:
    if not (field.many_to_many or field.null or field.db_default is not NOT_PROVIDED):
        yield "adds a column that must be filled: rows of the version of before have none; give it db_default, or null"
    if field.unique or field.db_index:
        yield "makes an index while nobody can write: add the field without, then AddIndexConcurrently"


def _of_changed_field(old: Any, new: Any) -> Iterator[str]:
    types = old.db_type(connection), new.db_type(connection)
    if types[0] != types[1] and not _is_wider_text(*types):
        yield f"changes the type from {types[0]} to {types[1]}: the table is written anew; add another column"
    if old.null and not new.null:
        yield "forbids NULL, which the version of before may write: check it with AddConstraintNotValid first"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        yield "makes an index while nobody can write: AddIndexConcurrently"


def _field_of(operation: migrations.AlterField, state: ProjectState, app: str) -> Any:
    """As the models know it at that point: only there a foreign key knows the type of its column."""
    return state.apps.get_model(app, operation.model_name)._meta.get_field(operation.name)


def _is_wider_text(old: str | None, new: str | None) -> bool:
    """varchar(20) → varchar(40) or text: PostgreSQL notes it, and touches no row."""
    if not (old or "").startswith("varchar"):
        return False
    return new == "text" or ((new or "").startswith("varchar") and _length(new) >= _length(old))


def _length(kind: str | None) -> int:
    return int("".join(filter(str.isdigit, kind or "")) or sys.maxsize)


def _of_locks(operation: Operation) -> Iterator[str]:
    if isinstance(operation, (AddIndexConcurrently, RemoveIndexConcurrently, AddConstraintNotValid)):
        return
    if isinstance(operation, (migrations.AddIndex, migrations.AlterUniqueTogether, migrations.AlterIndexTogether)):
        yield "makes an index while nobody can write: AddIndexConcurrently, in a migration with atomic = False"
    elif isinstance(operation, migrations.AddConstraint):
        yield "reads the table while nobody can write: AddConstraintNotValid, then ValidateConstraint in another one"


def all_faults() -> Iterator[str]:
    """One sentence for each, of every migration that is neither exempt nor says why it is safe."""
    loader = MigrationLoader(None)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        is_ours = Path(apps.get_app_config(app).path).parent == ROOT and app not in NOT_DEPLOYED
        if not is_ours or name <= BEFORE_THE_FIRST_RELEASE.get(app, ""):
            continue
        if not getattr(import_module(type(migration).__module__), "SAFE_BECAUSE", ""):
            state = loader.project_state((app, name), at_end=False)
            yield from faults_of(migration, before=state)


def faults_of(migration: migrations.Migration, *, before: ProjectState) -> Iterator[str]:
    """`before`: the models as they were before it; is changed."""
    made: set[str] = set()
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            made.add(operation.name.lower())
        for fault in faults(operation, made=made, before=before, app=migration.app_label):
            yield f"{migration.app_label} {migration.name}: “{operation.describe()}” {fault}."
        operation.state_forwards(migration.app_label, before)


if __name__ == "__main__":
    django.setup()
    found = list(all_faults())
    sys.stderr.write("".join(f"{fault}\n" for fault in found))
    sys.exit(1 if found else 0)
