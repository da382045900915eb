"""What an app takes from another system: an importer for each kind of file, found by its kind.

An app takes part by a module `moving_in` in which it says `brings(…)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.utils.module_loading import autodiscover_modules

from payments.moving_in.files import Row
from payments.moving_in.values import Column


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    CHANGED = "changed"
    THERE = "there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row. `note`: why it is refused, what changed, or what is worth knowing; `column`: where."""

    outcome: Outcome
    note: str = ""
    column: str = ""


class RowRefused(Exception):
    """A row is not taken; the others are. `column` "": it is the row as a whole."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column

    @property
    def result(self) -> Result:
        return Result(Outcome.REFUSED, str(self), self.column)


class Stopped(Exception):
    """Nothing can be taken at the moment, whatever the row; the sentence says why. What was taken stays."""


class Importer:
    """One kind of file. `asks_stripe`: it opens its own transactions. `chunk`: so many rows come at once."""

    kind: ClassVar[str]
    columns: ClassVar[Sequence[Column]]
    asks_stripe: ClassVar[bool] = False
    # As many orders as the workers take at once.
    chunk: ClassVar[int] = 100

    def take(self, rows: Sequence[Row], *, at: datetime, is_dry_run: bool) -> Sequence[Result]:
        """Take these rows, in the caller's transaction unless Stripe is asked; safe to repeat.

        Returns what became of each, in their order. Raises Stopped, and django.db errors: then nothing of them may be
        kept, and each is tried alone.
        """
        raise NotImplementedError


_importers: dict[str, type[Importer]] = {}


def brings(importer: type[Importer]) -> None:
    """Let files of its kind be imported, by one of its kind for each file."""
    _importers[importer.kind] = importer


def all_importers() -> dict[str, type[Importer]]:
    """Every importer by its kind."""
    autodiscover_modules("moving_in")
    return _importers
