"""Who takes part in an activity: everybody who holds a place, by name; for the door, and as a table to take along."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from payments.statuses import DisputeState, OrderStatus
from registrations.models import Activity, Registration

ROWS_READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Participant:
    """One person on the list. `number` is what their mails call it; `is_settled`: nothing is to be asked of them."""

    number: str
    name: str
    email: str
    state: str
    amount: str
    is_settled: bool


def participants_of(activity: Activity) -> Iterator[Participant]:
    """Everybody who holds a place, from A to Z; read in pieces, however many there are."""
    return map(_participant, _with_place(activity).iterator(chunk_size=ROWS_READ_AT_ONCE))


def participant_table(activity: Activity) -> Iterator[list[str]]:
    """Line by line for a spreadsheet, the heads first."""
    yield [
        pgettext("of an order", "Number"),
        _("Name"),
        _("E-mail"),
        _("State"),
        _("Amount"),
        _("Registered"),
        _("Registration"),
    ]
    for row in _with_place(activity).iterator(chunk_size=ROWS_READ_AT_ONCE):
        each = _participant(row)
        since = date_format(timezone.localtime(row.created_at), "Y-m-d H:i")
        yield [each.number, each.name, each.email, each.state, each.amount, since, str(row.public_id)]


def _with_place(activity: Activity) -> QuerySet[Registration]:
    held = Registration.objects.filter(activity=activity, holds_place=True)
    return held.select_related("order").order_by(Lower("name"), "pk")


def _participant(row: Registration) -> Participant:
    order = row.order
    is_settled = order.status == OrderStatus.PAID and order.dispute_state != DisputeState.LOST
    state = _("Free of charge") if is_settled and not order.amount else row.status_text
    return Participant(order.number, row.name, row.email, state, order.price, is_settled)
