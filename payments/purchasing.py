"""Leads a person to the Checkout of what they buy: at most one order that waits, however many tabs they buy in."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db.models import QuerySet

from payments.checkout.attempts import OrderNotPayable
from payments.checkout.open_checkout import confirm_free, open_checkout
from payments.cleanup.decide import close_unless_paid
from payments.orders.models import Order
from payments.statuses import AWAITING_PAYMENT

log = structlog.get_logger(__name__)
# Each attempt ends because something of the same person was decided elsewhere at that very moment.
MAX_ATTEMPTS = 3


class PaymentUnderWay(Exception):
    """A payment of the same person for the same thing is on its way: a second one would be paid twice."""


def lead_to_checkout(prepare_order: Callable[[], Order | None], *, at: datetime) -> str:
    """The address at which the person pays, always the same while its page is open; "" where it is theirs at once.

    `prepare_order` is the product's: the one order that waits, or a new one; None where another tab has begun something
    meanwhile, then it is called again. Not to be called inside a transaction. Raises PaymentUnderWay,
    GatewayUnavailable, GatewayRefused, and whatever `prepare_order` refuses with: then nothing was charged.
    """
    for _attempt in range(MAX_ATTEMPTS):
        order = prepare_order()
        if order is None:
            continue
        if confirm_free(order=order, at=at):
            return ""
        if url := find_checkout_url(order, at=at):
            return url
    raise PaymentUnderWay


def find_checkout_url(order: Order, *, at: datetime) -> str:
    """The address at which the order can be paid; "" where it was paid or closed a moment ago.

    Not to be called inside a transaction. Raises GatewayUnavailable, GatewayRefused.
    """
    try:
        url = open_checkout(order_id=order.pk, at=at).url
    except OrderNotPayable as reason:
        log.info("purchase.not_payable", kind=order.kind, order=order.pk, reason=str(reason))
        return ""
    log.info("purchase.checkout", kind=order.kind, order=order.pk, user=order.user_id)
    return url


def close_waiting_orders(orders: QuerySet[Order], *, at: datetime, source: str) -> None:
    """End those of `orders` that can still be paid, and their pages at Stripe; what was paid there is confirmed.

    Not to be called inside a transaction. Raises PaymentUnderWay, GatewayUnavailable, GatewayRefused.
    """
    for order in orders.filter(status__in=AWAITING_PAYMENT).order_by("pk"):
        if not close_unless_paid(order_id=order.pk, at=at, source=source):
            raise PaymentUnderWay(order.label)
