"""Confirms what costs nothing, by the road that payments take."""

from datetime import datetime

from django.db import transaction

from payments.apply import Telling, apply
from payments.facts import About, OrderFact
from payments.orders.models import Order
from payments.statuses import OPEN_PHASE, STATUS_ORDER, OrderStatus

FREE = "free of charge"
OPEN = tuple(status for status, (phase, _rank) in STATUS_ORDER.items() if phase == OPEN_PHASE)


@transaction.atomic
def settle_free(*, order: Order, at: datetime) -> bool:
    """Confirm an order that costs nothing. True if it was one that waits; its products have followed then."""
    if order.amount or order.status not in OPEN:
        return False
    about = About(order=str(order.public_id))
    fact = OrderFact(about=about, status=OrderStatus.PAID, occurred_at=at)
    report = apply([Telling(facts=[fact], source=FREE, occurred_at=at)], at=at)
    if error := report.applied[0].error:
        raise error
    return True
