"""Begins a registration from the public side: a new one, or the one that the same person has begun already."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from payments.checkout.open_checkout import confirm_free as confirm_free_order
from payments.orders.models import Order
from payments.statuses import OPEN_STATUSES
from registrations.models import Activity, Registration
from registrations.sales import CLOSED, sale_of
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed, register
from registrations.services.waiting_list import has_waiting_people


@dataclass(frozen=True, slots=True)
class Begun:
    """`is_resumed`: this person held the place already, with an order that still waits."""

    registration: Registration
    is_resumed: bool = False


@transaction.atomic
def begin(*, activity: Activity, name: str, email: str, language: str, at: datetime) -> Begun:
    """A place for this person, held while they pay; what costs nothing is theirs at once.

    Clicked twice, or in two windows, it is the same registration. Raises SalesClosed, AlreadyRegistered (paid, or
    free and confirmed) or ActivityFull; then nothing has happened.
    """
    if sale_of(activity, at=at) in CLOSED:
        raise SalesClosed(activity.title)
    if held := _find_held(activity, name=name, email=email):
        return _resume(held)
    if has_waiting_people(activity):
        raise ActivityFull(activity.title)
    try:
        row = register(activity=activity, name=name, email=email, language=language, at=at)
    except AlreadyRegistered:
        # The same click a moment earlier, in another process: it is committed by now.
        if held := _find_held(activity, name=name, email=email):
            return _resume(held)
        raise
    confirm_free(registration=row, at=at)
    return Begun(row)


@transaction.atomic
def confirm_free(*, registration: Registration, at: datetime) -> bool:
    """Confirm a registration that costs nothing. True if it was one that waits."""
    is_settled = confirm_free_order(order=registration.order, at=at)
    if is_settled:
        registration.refresh_from_db()
    return is_settled


def still_waits(order: Order) -> bool:
    """Whether the buyer may still pay, or has a payment under way."""
    return order.status in OPEN_STATUSES


def _resume(row: Registration) -> Begun:
    if not still_waits(row.order):
        raise AlreadyRegistered(row.email)
    return Begun(row, is_resumed=True)


def _find_held(activity: Activity, *, name: str, email: str) -> Registration | None:
    """What this person holds there, or has paid for; compared as the database's own constraint does."""
    rows = Registration.objects.select_related("order").filter(activity=activity, email=email.lower())
    mine = rows.filter(Exact(Lower("name"), Lower(Value(name))))
    return mine.filter(Q(holds_place=True) | Q(waits_since__isnull=False)).order_by("pk").last()
