"""Opens a further Checkout attempt of an order that waits; whatever the older ones still say loses to it."""

from datetime import datetime

from payments.orders.models import CheckoutAttempt, Order, OrderChange
from payments.statuses import OrderStatus

SOURCE = "checkout"


def open_attempt(order: Order, *, at: datetime) -> CheckoutAttempt:
    """The next attempt, saved; the order waits for payment again. The order is locked, unpaid and not closed."""
    newest = order.checkouts.order_by("number").last()
    number = max(newest.number, order.tried_attempt) + 1 if newest else order.tried_attempt
    if order.status != OrderStatus.PENDING:
        OrderChange.objects.create(
            order=order, field="status", before=order.status, after=OrderStatus.PENDING, occurred_at=at, learned_at=at,
            source=SOURCE,
        )  # fmt: skip
    # The start of a try has no moment: every fact of its attempt beats it, and it beats every fact of an older one.
    order.status = order.tried_status = OrderStatus.PENDING
    order.tried_attempt, order.tried_at = number, None
    order.save(update_fields=["status", "tried_status", "tried_attempt", "tried_at"])
    return CheckoutAttempt.objects.create(order=order, number=number, created_at=at)
