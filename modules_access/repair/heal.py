"""Puts some sources right in one transaction, by the code that follows them; or only shows what it would do."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from structlog.contextvars import bound_contextvars

from modules_access.models import ModuleAccess
from modules_access.purchasable import lock_accesses
from modules_access.repair.report import Difference, difference_of
from modules_access.repair.sources import Source
from payments.effects.models import Effect

LONGEST_SOURCE = 255


@dataclass(frozen=True, slots=True)
class Way:
    """How it is done: at which moment, by whom (a word, or a user with a reason), whether only to see."""

    at: datetime
    by: Any
    dry_run: bool = False

    @property
    def source(self) -> str:
        """What the history of an order or a subscription names."""
        return f"repair: {self.by}"[:LONGEST_SOURCE]


@transaction.atomic
def heal(source: Source, ids: Collection[int], *, way: Way) -> tuple[list[Difference], Counter[str]]:
    """What differed, and the mails that were noted. A dry run does the very same and rolls it back."""
    source.lock(ids)
    which = source.accesses(ids)
    lock_accesses(which)
    before, noted = _read(which), _noted(source, ids)
    with bound_contextvars(dry_run=way.dry_run):
        source.settle(ids, source=way.source, at=way.at)
    after = _read(which)
    mails = _noted(source, ids) - noted
    if way.dry_run:
        transaction.set_rollback(True)
    found = (difference_of(before.get(pk), row) for pk, row in after.items())
    return [each for each in found if each], mails


def _read(which: Q) -> dict[int, ModuleAccess]:
    rows = ModuleAccess.objects.filter(which).order_by("pk")
    return {row.pk: row for row in rows.select_related("user", "module", "order", "subscription", "token")}


def _noted(source: Source, ids: Collection[int]) -> Counter[str]:
    if not source.owner:
        return Counter()
    return Counter(Effect.objects.filter(**{f"{source.owner}__in": ids}).values_list("kind", flat=True))
