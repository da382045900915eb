"""What stands here beside what Stripe says, field by field, for people."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from payments.billing.models import Customer, Subscription
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order
from payments.resync import Resynced

Row = Order | Subscription | Customer


def question_about(row: Row, found: Iterable[Resynced]) -> str:
    """The title of the page."""
    differs = any(each.changes for each in found)
    return (_("Put %s right?") if differs else _("Nothing differs: %s")) % _called(row)


def compared(row: Row, found: Iterable[Resynced]) -> dict[str, Any]:
    """What the page shows of it."""
    each_found, currencies = list(found), _currencies(row)
    return {
        "compared": [
            (each.subject, [_line(change, currencies.get(each.subject, "")) for change in each.changes])
            for each in each_found
        ],
        # Asking settles a doubt even where nothing differs.
        "differs": any(each.changes for each in each_found) or (isinstance(row, Subscription) and row.needs_resync),
        "missing": [name for each in each_found for name in each.missing],
        "asked_at": timezone.now(),
        "back": page_of(row),
    }


def page_of(row: Row) -> str:
    """The address of the row's own page."""
    return reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk])


def _line(change: tuple[str, str, str], currency: str) -> tuple[str, str, str]:
    what, here, there = change
    return name_of(what), value_of(what, here, currency=currency), value_of(what, there, currency=currency)


def _currencies(row: Row) -> dict[str, str]:
    """By what is shown: of a customer, everything that they have."""
    if not isinstance(row, Customer):
        return {_called(row): row.currency}
    orders = Order.objects.filter(email=row.email) if row.email else Order.objects.none()
    rows: list[Order | Subscription] = [*orders, *row.subscriptions.all()]
    return {_called(each): each.currency for each in rows}


def _called(row: Row) -> str:
    return row.number if isinstance(row, Order) else str(row)
