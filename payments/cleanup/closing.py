"""Closes an order that nobody will pay: the end goes the same road as Stripe's news, so everything follows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from payments.apply import FactSet, apply
from payments.checkout.open_checkout import NO_MONEY_COMES
from payments.facts import ObjectRefs, OrderFact
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import OrderStatus
from payments.stripe_api import gateway
from payments.stripe_api.gateway import GatewayRefused
from payments.stripe_api.snapshots import StripeCheckoutSession

log = structlog.get_logger(__name__)
# Open, and no payment is under way.
AWAITING_PAYMENT = (OrderStatus.PENDING, OrderStatus.ACTION_REQUIRED, OrderStatus.FAILED)


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that waits for money and its newest attempt, as they were before Stripe was asked.

    `number` is the attempt that its end must name; `session` "" and `params`: Stripe was asked and did not answer.
    """

    order_id: int
    public_id: UUID
    status: str
    attempt_at: datetime | None
    number: int
    session: str = ""
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @classmethod
    def of(cls, order: Order) -> "WaitingOrder | None":
        """None where the order is not waiting, or has money."""
        if order.status not in AWAITING_PAYMENT or order.amount_received:
            return None
        newest = order.checkouts.order_by("number").last() or CheckoutAttempt(number=0)
        return cls(
            order.pk, order.public_id, order.status, order.attempt_at, max(order.attempt_number, newest.number),
            newest.session, newest.params, newest.expires_at,
        )  # fmt: skip

    @property
    def is_unanswered(self) -> bool:
        """Stripe was asked for a session and how that ended is unknown, or it was a refusal."""
        return self.params is not None and not self.session


def close_order(*, order_id: int, at: datetime, source: str, status: str = OrderStatus.EXPIRED) -> bool:
    """Close the order as EXPIRED or CANCELED if it waits and nobody can pay it any more. Returns whether it moved.

    Asks Stripe about the newest session, so not to be called inside a transaction; a session that is open is to be
    expired first. Safe to call again, and by many at once. `source`: by what, or by whom, for the history. Raises
    GatewayUnavailable, GatewayRefused.
    """
    waiting = find_waiting(order_id=order_id)
    if waiting is None or not _is_over(waiting, at=at):
        return False
    return close_waiting(waiting, at=at, source=source, status=status)


@transaction.atomic(durable=True)
def find_waiting(*, order_id: int) -> WaitingOrder | None:
    """The order as it stands now; None where it does not wait for money."""
    return WaitingOrder.of(Order.objects.get(pk=order_id))


@transaction.atomic
def close_waiting(waiting: WaitingOrder, *, at: datetime, source: str, status: str = OrderStatus.EXPIRED) -> bool:
    """Close the order unless it has changed since it was looked at. Returns whether it moved."""
    order = Order.objects.select_for_update(no_key=True).get(pk=waiting.order_id)
    if WaitingOrder.of(order) != waiting:
        log.info("order.not_closed", order=order.pk, status=order.status, source=source)
        return False
    refs = ObjectRefs(order=str(waiting.public_id), attempt=waiting.number)
    fact_set = FactSet([OrderFact(refs, status, at)], source=source, occurred_at=at)
    applied = apply([fact_set], at=at).applied[0]
    if applied.error:
        raise applied.error
    return any(name == "status" for name, _before, _after in applied.folded.changes)


def find_session(session: str) -> StripeCheckoutSession | None:
    """The session as Stripe knows it; None if it knows none of this name. Raises GatewayUnavailable, GatewayRefused."""
    try:
        return gateway.retrieve_checkout_session(session=session)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        return None


def has_failed(session: StripeCheckoutSession) -> bool:
    """The buyer went through it with a delayed method, and no money comes of it."""
    is_unpaid = session.status == "complete" and session.payment_status == "unpaid"
    return is_unpaid and session.intent_status in NO_MONEY_COMES


def _is_over(waiting: WaitingOrder, *, at: datetime) -> bool:
    """Whether nobody can pay in the newest attempt, and no money can be on its way."""
    if waiting.is_unanswered:
        return waiting.expires_at is None or waiting.expires_at <= at
    session = find_session(waiting.session) if waiting.session else None
    return session is None or session.status == "expired" or has_failed(session)
