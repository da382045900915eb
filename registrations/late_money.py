"""Money that finds no place: who still asks for one, and whose money goes back by itself (docs/adr/0007)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from payments.effects.enqueue import EffectRequest
from payments.orders.models import Order
from payments.refunds.refund import going_back, refund_requests
from registrations.models import Activity, LateMoney, Registration

# One refund for each payment that comes too late, however often it is told.
KEY = "late"
NO_PLACE = gettext_noop("Paid when no place was left.")
# The mail that says so goes first: told after the money has moved, it would be skipped.
AFTER_THE_MAIL = timedelta(seconds=5)


def is_standing(row: Registration, order: Order) -> bool:
    """Paid, or nothing was due, and without a place. Who gave theirs up asks for none."""
    return order.has_money and not row.holds_place and not row.given_up_at


def without_place(rows: Iterable[Registration], orders: Mapping[int, Order]) -> list[Registration]:
    """Those whose money is here to stay and who hold no place. All of it asked back: then there is nothing to seat."""
    standing = [row for row in rows if is_standing(row, orders[row.order_id])]
    back = going_back([row.order_id for row in standing])
    return [row for row in standing if row.order_id not in back]


def seekers(standing: Sequence[Registration]) -> list[Registration]:
    """Of those without a place, who can get one: not in an activity that will not take place."""
    if not standing:
        return []
    off = set(_activities(standing).filter(called_off_at__isnull=False).values_list("pk", flat=True))
    return [row for row in standing if row.activity_id not in off]


def refund_late_money(
    rows: Sequence[Registration], orders: Mapping[int, Order], *, at: datetime
) -> list[EffectRequest]:
    """Refunds for those who have found no place just now, where the activity wants that; they stop waiting.

    Whoever waits already, because staff were to be asked, goes on waiting when the policy changes. Of an activity that
    is called off everybody is refunded anyway.
    """
    if not rows:
        return []
    wanted = _activities(rows).filter(late_money=LateMoney.REFUND, called_off_at__isnull=True)
    giving_back = set(wanted.values_list("pk", flat=True))
    found: list[EffectRequest] = []
    for row in rows:
        if row.activity_id in giving_back and (effects := _refunds(orders[row.order_id], at=at)):
            row.waits_since = None
            found += effects
    return found


def _refunds(order: Order, *, at: datetime) -> list[EffectRequest]:
    return refund_requests(owner=order, reason=NO_PLACE, key=KEY, at=at, patience=AFTER_THE_MAIL)


def _activities(rows: Iterable[Registration]) -> QuerySet[Activity]:
    return Activity.objects.filter(pk__in={row.activity_id for row in rows})
