"""What a person has: each module once, whatever number of sources gives it; one query however much that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from modules_access.links import receipt_path
from modules_access.models import AccessType, Module, ModuleAccess
from modules_access.pages.sources import ended_at, is_renewed, longest, source_of, why_ended
from payments.orders.models import Order

# Nobody has so many; the page must not grow without limit all the same. What is active comes first.
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Bought:
    """One order, and the address of its receipt, "" where nothing was paid."""

    order: Order
    receipt: str


@dataclass(frozen=True, slots=True)
class Line:
    """One module. `access`: the best that there is, or what ended last; `others`: what gives it besides, in words.

    `ended_at` and `reason` only where nothing gives access any more.
    """

    module: Module
    access: ModuleAccess
    source: str
    is_renewed: bool
    others: Sequence[str]
    bought: Sequence[Bought]
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """`active` as in the catalogue, `ended` the latest first."""

    active: Sequence[Line]
    ended: Sequence[Line]

    def find_active(self, slug: str) -> Line | None:
        """The module that is called so, if it is open."""
        return next((line for line in self.active if line.module.slug == slug), None)

    def find_paid(self, order: Order) -> Line | None:
        """What the order has bought, if its money is here and the module open."""
        return next((line for line in self.active if any(_is_paid(each, order) for each in line.bought)), None)

    def find(self, slug: str) -> Line | None:
        """The same, open or not."""
        return next((line for line in (*self.active, *self.ended) if line.module.slug == slug), None)


def shelf_of(user: User, *, at: datetime) -> Shelf:
    """All that the person has and had."""
    rows: dict[int, list[ModuleAccess]] = {}
    for access in ModuleAccess.objects.of(user).order_by("-is_active", "-pk")[:MOST_ROWS]:
        rows.setdefault(access.module_id, []).append(access)
    lines = [_line(each, at=at) for each in rows.values()]
    return Shelf(
        active=sorted((line for line in lines if line.ended_at is None), key=_as_in_the_catalogue),
        ended=sorted((line for line in lines if line.ended_at), key=_end_of, reverse=True),
    )


def _is_paid(bought: Bought, order: Order) -> bool:
    return bought.order.pk == order.pk and bought.order.has_money


def _line(rows: Sequence[ModuleAccess], *, at: datetime) -> Line:
    bought = _bought(rows)
    open_rows = longest(row for row in rows if row.is_open(at=at))
    if not open_rows:
        last = max(rows, key=lambda row: ended_at(row, at=at))
        return Line(
            last.module, last, source_of(last), False, (), bought, ended_at(last, at=at), why_ended(last, at=at)
        )  # fmt: skip
    best, *others = open_rows
    source = source_of(best)
    besides = dict.fromkeys(each for row in others if (each := source_of(row)) != source)
    return Line(best.module, best, source, is_renewed(best), tuple(besides), bought)


def _bought(rows: Iterable[ModuleAccess]) -> Sequence[Bought]:
    """The newest first."""
    orders = [row.order for row in rows if row.order and row.access_type == AccessType.PURCHASE]
    newest_first = sorted(orders, key=lambda order: order.pk, reverse=True)
    return [Bought(order, receipt_path(order)) for order in newest_first]


def _as_in_the_catalogue(line: Line) -> tuple[int, str]:
    return line.module.position, line.module.slug


def _end_of(line: Line) -> datetime:
    return line.ended_at or line.access.updated_at
