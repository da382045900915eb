"""Locked rows with what belongs to them: read in a few statements, changed in memory, written back in a few."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from django.db import models

from payments.sql import update_rows


def values_of(row: models.Model, columns: Iterable[str]) -> dict[str, Any]:
    """The row's values of these columns, by name."""
    return {column: getattr(row, column) for column in columns}


class State(Protocol):
    """What `States` asks of one locked row with its parts."""

    row: Any
    before: dict[str, Any]


S = TypeVar("S", bound=State)
Part = tuple[type[models.Model], str, str, tuple[str, ...]]


@dataclass(slots=True)
class Written:
    """The values of rows as they stand in the database."""

    values: dict[int, dict[str, Any]]

    def differs(self, row: models.Model, columns: tuple[str, ...]) -> bool:
        """Whether the row has other values than the database."""
        return self.values.get(id(row)) != values_of(row, columns)


class States(dict[int, S], Generic[S]):
    """The locked rows of a batch by id, each with what belongs to it."""

    model: ClassVar[type[models.Model]]
    owner: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    guards: ClassVar[tuple[str, ...]]
    parts: ClassVar[Sequence[Part]]

    @classmethod
    def make(cls, row: Any, before: dict[str, Any]) -> S:
        """The state of one row that was just read."""
        raise NotImplementedError

    @classmethod
    def lock(cls, ids: Collection[int]) -> Self:
        """Lock the rows, sorted by id, and read what belongs to them."""
        if not ids:
            return cls()
        rows = cls.model._default_manager.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
        states = cls({row.pk: cls.make(row, values_of(row, cls.columns)) for row in rows})
        for model, place, key, _columns in cls.parts:
            for part in model._default_manager.filter(**{f"{cls.owner}__in": states}):
                getattr(states[getattr(part, cls.owner)], place)[getattr(part, key)] = part
        return states

    def snapshot(self) -> "Written":
        """How the parts are now: what is written later is the difference."""
        return Written({id(row): values_of(row, columns) for row, columns in self._parts()})

    def changed(self, written: "Written") -> set[int]:
        """The rows of which anything, be it a payment's name, differs from what was read."""
        parts = {getattr(row, self.owner) for row, columns in self._parts() if written.differs(row, columns)}
        return parts | {key for key, state in self.items() if self._has_moved(state)}

    def save(self, written: "Written") -> None:
        """Write what changed since `written`: one statement per table for new rows, one for changed ones."""
        moved = [state for state in self.values() if self._has_moved(state)]
        update_rows(self.model, [self._values(state) for state in moved], guards=self.guards)
        fresh: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        changed: dict[type[models.Model], list[dict[str, Any]]] = defaultdict(list)
        for row, columns in self._parts():
            if row.pk is None:
                fresh[type(row)].append(row)
            elif written.differs(row, columns):
                changed[type(row)].append({"id": row.pk, **values_of(row, columns)})
        for model, rows in fresh.items():
            model._default_manager.bulk_create(rows)
        for model, values in changed.items():
            update_rows(model, values)

    def _has_moved(self, state: S) -> bool:
        return values_of(state.row, self.columns) != state.before

    def _values(self, state: S) -> dict[str, Any]:
        old_key = {f"was_{column}": state.before[column] for column in self.guards}
        return {"id": state.row.pk, **values_of(state.row, self.columns), **old_key}

    def _parts(self) -> Iterable[tuple[models.Model, tuple[str, ...]]]:
        for state in self.values():
            for _model, place, _key, columns in self.parts:
                for row in getattr(state, place).values():
                    yield row, columns
