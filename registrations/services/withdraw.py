"""The buyer cannot come: the place is given back, and the money by the rule of the activity."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog
from django.db import transaction

from payments.effects.enqueue import enqueue
from payments.effects.models import Effect
from payments.names import REFUND_KIND
from payments.orders.models import Order
from payments.refunds.refund import left_to_refund, name_of, refund_requests
from payments.statuses import DisputeState, OrderStatus
from registrations.models import Registration
from registrations.services.staff_actions import give_up_place, record_staff_action

log = structlog.get_logger(__name__)
# What the history of an order calls it, who did it, and the refund's own key: asked for twice, it happens once.
WITHDRAWN, BUYER, REFUND_KEY = "withdrawn", "buyer", "withdrawn"
REASON = "The buyer cannot come."


class Way(StrEnum):
    """What can be done by somebody who cannot come."""

    NONE = ""
    """There is nothing to give back, or not any more."""
    FREE = "free"
    """The place costs nothing."""
    REFUND = "refund"
    """All that is left of the money goes back, and the place goes with it."""
    ASK = "ask"
    """The time for that is over, or there is no such rule: they write to the shop."""
    UNDER_WAY = "under_way"
    """They have said so; the money is on its way back."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`amount`: what would go back, in minor units of the order's currency. `until`: the end of the time for it."""

    way: Way
    amount: int = 0
    until: datetime | None = None


class CannotWithdraw(ValueError):
    """Nothing was changed: it is too late, or it was decided otherwise meanwhile."""


def withdrawal_of(row: Registration, *, at: datetime) -> Withdrawal:
    """What the person can do now. The row comes with its order and activity."""
    order, activity = row.order, row.activity
    is_theirs = row.holds_place and order.status == OrderStatus.PAID and not row.given_up_at
    if not is_theirs or activity.called_off_at or activity.starts_at <= at:
        return Withdrawal(Way.NONE)
    if _was_asked(order):
        return Withdrawal(Way.UNDER_WAY)
    if not order.has_money_here:
        return Withdrawal(Way.FREE if not order.amount else Way.ASK)
    until, left = activity.refund_until(), left_to_refund(order)
    if until is None or until <= at or order.dispute_state != DisputeState.NONE or not left:
        return Withdrawal(Way.ASK, until=until)
    return Withdrawal(Way.REFUND, sum(each.amount for each in left), until)


@transaction.atomic
def withdraw(*, registration: Registration, at: datetime) -> Way:
    """Give the place back; money that is owed for it is asked for, and the place goes with it. Returns what happened.

    Pressed twice it happens once. Raises CannotWithdraw.
    """
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    row = Registration.objects.select_related("activity").get(pk=registration.pk)
    row.order = order
    way = withdrawal_of(row, at=at).way
    match way:
        case Way.FREE:
            record_staff_action(WITHDRAWN, order_ids=[order.pk], reason="", by=BUYER, at=at)
            give_up_place(row, by=BUYER, at=at)
        case Way.REFUND:
            record_staff_action(WITHDRAWN, order_ids=[order.pk], reason="", by=BUYER, at=at)
            enqueue(refund_requests(owner=order, reason=REASON, key=REFUND_KEY, by=BUYER, at=at), at=at)
        case Way.UNDER_WAY:
            pass
        case _:
            raise CannotWithdraw
    log.info("registration.withdrawn", registration=str(row.public_id), order=order.pk, way=way)
    return way


def _was_asked(order: Order) -> bool:
    return Effect.objects.filter(key__startswith=f"{REFUND_KIND}:{name_of(order)}:{REFUND_KEY}:").exists()
